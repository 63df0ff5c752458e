// Waiter: one call that waits for a place at any of its targets. Stands in the line of each of
// their providers; the first place that comes ends all of it. Made on the call's worker; whose
// thread frees a place calls it, which `wake` must carry to the worker.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/core/clock.hpp"
#include "routing/availability.hpp"

namespace tollgate::routing {

class ProviderLimit;
class TargetHealth;

class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  struct Place {
    std::shared_ptr<TargetHealth> health;  ///< has a limit
    std::uint32_t key = 0;                 ///< which of the provider's it would use
    std::size_t target = 0;                ///< the call's own number for it
  };
  /// A tenant's part of what its parent has, among its siblings.
  struct Share {
    std::string tenant;
    std::uint32_t weight = 1;
  };
  struct Wish {
    std::vector<Share> shares;  ///< the tenant's that calls, behind its parents', the topmost first
    std::uint64_t tokens = 0;   ///< that it may use, by estimate
    std::vector<Place> places;
  };
  enum class State : std::uint8_t {
    waiting,
    called,     ///< a place is taken for it
    hopeless,   ///< every target has broken meanwhile
    dismissed,  ///< the process ends
    left,
  };

  explicit Waiter(Wish wish);
  virtual ~Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Begins to wait; its turn may come at once.
  void enter(SteadyTime now);
  /// Ends the wait: true when a place is its own, to be taken with `pass` and `target`.
  bool leave(SteadyTime now);
  /// To be called when the time of `alarm` has come.
  void look_again(SteadyTime now);

  [[nodiscard]] State state() const;
  /// When time alone may bring a place; `never`: another call's end will.
  [[nodiscard]] SteadyTime alarm() const;
  [[nodiscard]] const Pass& pass() const { return pass_; }
  [[nodiscard]] const Place& place() const { return *place_; }
  /// Why none of its targets can be had now.
  [[nodiscard]] Availability rest(SteadyTime now) const;
  /// How long one who comes now would wait, by how it went of late; 0: nothing is known.
  [[nodiscard]] std::chrono::nanoseconds expected_wait(SteadyTime now) const;
  [[nodiscard]] const Wish& wish() const { return wish_; }

 protected:
  /// Something has changed: `state`, or `alarm`. Any thread, with locks held: to be posted.
  virtual void wake() noexcept = 0;

 private:
  friend class WaitingLine;
  friend class ShareTree;
  enum class Answer : std::uint8_t {
    over,     ///< it waits no longer
    called,   ///< it has got a place
    blocked,  ///< the provider's limit is in its way, and in that of all others
    not_now,  ///< none of its own targets there can be asked
  };
  Answer try_at(const ProviderLimit& limit, SteadyTime now, SteadyTime& due);
  [[nodiscard]] bool is_hopeless(SteadyTime now) const;
  void dismiss();
  void set_alarm(SteadyTime at);

  const Wish wish_;
  std::vector<std::shared_ptr<ProviderLimit>> limits_;  // of its places, each once
  mutable std::mutex mutex_;
  State state_ = State::waiting;
  SteadyTime alarm_ = never;
  Pass pass_;
  const Place* place_ = nullptr;
};

}  // namespace tollgate::routing
