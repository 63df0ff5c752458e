// AbortSlot: how a hang-up, a drain's end or a shutdown reaches what a run waits on.
// One slot a call, one wait at a time; everything on the call's worker thread.
#pragma once

#include "gateway/core/error.hpp"

namespace tollgate {

/// Something that waits and can be told to give up; its wait then ends with an Error.
struct Abortable {
  virtual void abort() noexcept = 0;

 protected:
  ~Abortable() = default;
};

class AbortSlot {
 public:
  /// Asks whatever waits to give up; later waits give up at once. The first reason stays.
  void abort(Error reason) noexcept {
    if (reason_) return;
    reason_ = std::move(reason);
    if (waiting_ != nullptr) waiting_->abort();
  }
  [[nodiscard]] bool aborted() const { return reason_.has_value(); }
  [[nodiscard]] const Error& reason() const { return *reason_; }

 private:
  friend class AbortScope;
  Rare<Error> reason_;
  Abortable* waiting_ = nullptr;
};

/// For the length of one wait, names who is to be told. Check `slot.aborted()` before waiting.
class AbortScope {
 public:
  AbortScope(AbortSlot& slot, Abortable& target) : slot_(slot), before_(slot.waiting_) {
    slot_.waiting_ = &target;
  }
  ~AbortScope() { slot_.waiting_ = before_; }
  AbortScope(const AbortScope&) = delete;
  AbortScope& operator=(const AbortScope&) = delete;

 private:
  AbortSlot& slot_;
  Abortable* before_;
};

}  // namespace tollgate
