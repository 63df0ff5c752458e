// Policy and Watch: what stands between an authenticated request and its attempts. A policy admits,
// answers or denies; the watch it hands out sees every batch and settles exactly once, whatever
// happened. registry.cpp holds the one ordered list. Called on the call's worker.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "gateway/core/block.hpp"
#include "gateway/core/call.hpp"
#include "gateway/core/front.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate::policies {

struct Watch {
  virtual ~Watch() = default;
  /// May hold back, merge or rewrite frames (then `changed`). Error: the reply is cut.
  virtual Result<void> on_frames(Batch&) { return {}; }
  /// Exactly once, in reverse order of admission, before the last bytes leave.
  virtual Awaitable<void> settle(const Outcome& outcome) = 0;
};

/// Pass: `watch` may be null. (An answer of its own, a cache hit, joins here with its issue.)
struct Admission {
  std::unique_ptr<Watch> watch;
};

struct Policy {
  virtual ~Policy() = default;
  virtual Awaitable<Result<Admission>> admit(Call& call) const = 0;
};

}  // namespace tollgate::policies
