// Deadlines: every timeout of one worker behind one timer. An entry that moves later costs one
// store (it is looked at again when its old time comes); no timer is armed per operation. One
// object a worker; everything on its thread.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <vector>

#include "gateway/core/clock.hpp"

namespace tollgate::net {

class Deadlines;

/// The steady clock as of the kernel's last tick (some milliseconds ago at most), for a fifth of
/// the price: what limits of a second and more are counted from.
[[nodiscard]] SteadyTime coarse_now() noexcept;

/// Something that expires. Lives in its owner; leaves the heap when destroyed.
class Deadline {
 public:
  explicit Deadline(Deadlines& owner) : owner_(owner) {}
  virtual ~Deadline() { disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(SteadyTime at);  ///< replaces the time; `never` disarms lazily
  void disarm() noexcept;
  [[nodiscard]] SteadyTime at() const { return at_; }

 protected:
  /// Called once when the time has come (up to the tick late); may re-arm or destroy others, not
  /// itself.
  virtual void expired() = 0;

 private:
  friend class Deadlines;
  Deadlines& owner_;
  SteadyTime at_ = never;      // what the owner wants
  SteadyTime queued_ = never;  // where the heap has it: never later than at_
  std::size_t slot_ = npos;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

class Deadlines {
 public:
  explicit Deadlines(boost::asio::io_context& io) : timer_(io) {}
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  void stop();  ///< nothing expires any more

 private:
  friend class Deadline;
  void insert(Deadline& entry);
  void remove(Deadline& entry) noexcept;
  void sift_up(std::size_t i);
  void sift_down(std::size_t i);
  void place(std::size_t i, Deadline* entry);
  void schedule();
  void fire();

  boost::asio::steady_timer timer_;
  std::vector<Deadline*> heap_;
  SteadyTime armed_ = never;
  bool stopped_ = false;
};

}  // namespace tollgate::net
