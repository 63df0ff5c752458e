// Patience: what may end the waits of one exchange with a provider: the stage's time limit, the
// call's deadline and its abort slot. Each wait names whom to wake. Used by the upstream client and
// the demo, on the worker's thread.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "gateway/core/abort.hpp"
#include "gateway/net/deadlines.hpp"

namespace tollgate::net {

/// An upstream's failure: `message` reaches the client and names the provider, `detail` the log.
[[nodiscard]] Error upstream_failure(ErrorKind kind, std::string_view provider,
                                     std::string_view message, std::string detail = {});

/// How a wait is ended.
struct Waker {
  virtual void wake() const = 0;

 protected:
  ~Waker() = default;
};

class Patience final : public Deadline, public Abortable {
 public:
  Patience(Deadlines& deadlines, AbortSlot& slot, SteadyTime deadline)
      : Deadline(deadlines), slot_(slot), deadline_(deadline) {}

  /// Begins a stage that may last until `limit`; the deadline holds beside it.
  void stage(SteadyTime limit);
  /// Ends the wait under way, if any, and those to come.
  void end() noexcept {
    disarm();
    expired_ = true;
    wake();
  }
  /// Nothing is waited for: no time runs.
  void rest() {
    expired_ = false;
    arm(never);
  }
  [[nodiscard]] bool over() const { return expired_ || slot_.aborted(); }
  [[nodiscard]] AbortSlot& slot() const { return slot_; }
  [[nodiscard]] SteadyTime deadline() const { return deadline_; }
  /// Once `over`: the slot's reason, deadline_exceeded, or upstream_timeout saying `what` was too
  /// slow.
  [[nodiscard]] Error why(std::string_view provider, std::string_view what) const;

  void abort() noexcept override { wake(); }

 private:
  template <class How>
  friend class Waking;
  void expired() override;
  void wake() const {
    if (waker_ != nullptr) waker_->wake();
  }

  AbortSlot& slot_;
  SteadyTime deadline_;
  SteadyTime limit_ = never;
  bool expired_ = false;
  const Waker* waker_ = nullptr;
};

/// For the length of one wait, names how its end is brought about.
template <class How>
class Waking final : public Waker {
 public:
  Waking(Patience& patience, How how)
      : patience_(patience), how_(std::move(how)), before_(std::exchange(patience.waker_, this)) {}
  ~Waking() { patience_.waker_ = before_; }
  Waking(const Waking&) = delete;
  Waking& operator=(const Waking&) = delete;

 private:
  void wake() const override { how_(); }

  Patience& patience_;
  How how_;
  const Waker* before_;
};

}  // namespace tollgate::net
