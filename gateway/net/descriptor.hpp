// Descriptor: a connected socket in its loop's reactor, with the two waits that a stream has: its
// reader's and its writer's. It stands on Asio's reactor below the public sockets: there a wait
// costs an epoll_ctl and a read is tried before it is waited for; here a wait that follows a
// drained read costs nothing, needs no memory, and may stay armed with nobody waiting. The loop's
// thread.
#pragma once
#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "gateway/core/task.hpp"

namespace tollgate::net {

class Descriptor {
 public:
  enum class Direction : std::uint8_t { read, write };
  class Party;
  class Alarm;

  explicit Descriptor(boost::asio::ip::tcp::socket socket);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] Party& reader();
  [[nodiscard]] Party& writer();
  /// Ends all waits with an error and closes the socket.
  void close() noexcept;

 private:
  friend class Party;
  friend class Alarm;
  struct Parties;
  using Reactor = boost::asio::detail::reactor;

  Reactor& reactor_;
  int fd_;
  Reactor::per_descriptor_data place_ = nullptr;
  std::unique_ptr<Parties> parties_;  // may outlive this, while the reactor holds one of them
};

/// One who waits on a descriptor: for one direction at a time.
class Descriptor::Party final : private boost::asio::detail::reactor_op {
 public:
  explicit Party(Parties& both) : reactor_op({}, &Party::perform, &Party::complete), both_(both) {}

  /// Waits until the socket may be ready: the caller tries and waits again. True: go on; false:
  /// woken, or closed.
  auto ready(Direction direction) { return Wait(*this, direction); }
  /// Begins that wait with nobody there yet; `ready` joins it.
  void arm(Direction direction);
  /// Is ready at the loop's next turn: lets others have theirs.
  auto turn() { return Wait(*this, std::nullopt); }
  /// Ends a wait under way, without anything being lost.
  void wake() noexcept;

  /// What a reader knows: nothing is there to be read, and an armed wait has seen nothing since.
  [[nodiscard]] bool drained() const { return drained_; }
  /// Never of a connection that was reset: no event comes any more, only a read tells.
  void note_drained(bool drained) { drained_ = drained && !broken_; }
  /// Whether the last wait was over before it began: an event may have come earlier, or none.
  [[nodiscard]] bool guessed() const { return guessed_; }
  [[nodiscard]] bool armed() const { return under_way_; }

 private:
  friend class Descriptor;
  class Wait {
   public:
    Wait(Party& party, std::optional<Direction> direction) : party_(party), direction_(direction) {}
    ~Wait() {
      if (waiting_) party_.waiter_.forget();  // its frame is being destroyed
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    [[nodiscard]] bool await_ready() const noexcept { return !party_.may_wait(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) {
      party_.woken_ = false;
      direction_ ? party_.arm(*direction_) : party_.arm_ready();
      party_.waiter_ = Suspended(waiting);
      waiting_ = true;
    }
    bool await_resume() noexcept {
      waiting_ = false;
      return !party_.woken_ && party_.may_wait();
    }

   private:
    Party& party_;
    std::optional<Direction> direction_;  // none: no event is waited for
    bool waiting_ = false;
  };

  static status perform(reactor_op* self);
  static void complete(void* loop, boost::asio::detail::operation* self,
                       const boost::system::error_code&, std::size_t);
  [[nodiscard]] bool may_wait() const;
  void arm_ready();

  Parties& both_;
  Suspended waiter_;
  Direction direction_ = Direction::read;
  bool under_way_ = false;  // the reactor or the loop holds this
  bool queued_ = false;     // the reactor does, and has not seen it ready
  bool woken_ = false;
  bool drained_ = false;
  bool broken_ = false;  // the last event said error or hang-up
  bool arming_ = false, guessed_ = false;
};

/// Calls once when bytes, an end or an error are there to be read, unless it is destroyed before.
class Descriptor::Alarm {
 public:
  Alarm(Descriptor& descriptor, std::function<void()> ring);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  class Operation;
  Descriptor& descriptor_;
  std::function<void()> ring_;
  Operation* operation_ = nullptr;  // frees itself when the loop gives it back
};

}  // namespace tollgate::net
