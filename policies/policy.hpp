// Policy and Watch: what stands between an authenticated request and its attempts. A policy admits
// or denies; the watch it hands out sees every batch and settles exactly once, whatever happened.
// registry.cpp holds the one ordered list. Called on the call's worker.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gateway/core/block.hpp"
#include "gateway/core/call.hpp"
#include "gateway/core/front.hpp"
#include "gateway/core/outcome.hpp"
#include "gateway/wire/dialect.hpp"
#include "policies/keys.hpp"

namespace tollgate::policies {

/// What a policy sees of a call.
struct Request {
  Call& call;
  const Key& key;
  const wire::RequestView& view;
};

struct Watch {
  virtual ~Watch() = default;
  /// May hold back, merge or rewrite frames (then `changed`). Error: the reply is cut.
  virtual Result<void> on_frames(Batch&) { return {}; }
  /// Exactly once, in reverse order of admission, before the last bytes leave. Never throws.
  virtual Awaitable<void> settle(const Outcome& outcome) = 0;
};

/// Let through; `watch` may be null.
struct Admission {
  std::unique_ptr<Watch> watch;
};

struct Policy {
  virtual ~Policy() = default;
  virtual Awaitable<Result<Admission>> admit(Request& request) const = 0;
  /// What `admit` says, where that needs neither a wait nor a watch; nullopt: `admit` must be
  /// asked.
  [[nodiscard]] virtual std::optional<Result<void>> judge(const Request&) const { return {}; }
};

using PolicyList = std::vector<std::unique_ptr<const Policy>>;

/// The watches of one call: asked in order, settled once in reverse.
class Watches {
 public:
  /// Asks every policy in order. An error denies the call; what was admitted before it is still to
  /// be settled.
  Awaitable<Result<void>> admit(std::span<const std::unique_ptr<const Policy>> policies,
                                Request& request);
  /// The same as far as no policy needs to be waited for: how many were asked.
  static Result<std::size_t> judge(const PolicyList& policies, const Request& request);
  Result<void> on_frames(Batch& batch);
  /// A second call does nothing.
  Awaitable<void> settle(const Outcome& outcome);
  [[nodiscard]] bool settled() const { return settled_; }

 private:
  std::vector<std::unique_ptr<Watch>> watches_;
  bool settled_ = false;
};

}  // namespace tollgate::policies
