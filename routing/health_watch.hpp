// HealthWatch: how one attempt of the loop is seen by its target's health: let in, first content,
// end. Holds a place in the target's count for as long as the attempt runs. Owned by the forwarder,
// on the call's worker.
#pragma once
#include <memory>
#include <optional>

#include "gateway/core/error.hpp"
#include "gateway/core/event.hpp"
#include "gateway/core/http.hpp"
#include "routing/health.hpp"
#include "routing/target.hpp"

namespace tollgate::routing {

/// Why a model whose targets rest cannot be called: 429 upstream_rate_limited where its providers'
/// limits are the reason, else 503 no_healthy_target; with `retry_after`.
[[nodiscard]] Error resting_error(const Availability& rest, SteadyTime now);

/// What the end of an attempt says about its target; nullptr: all went well.
[[nodiscard]] Verdict verdict_of(const Error* error);

class HealthWatch {
 public:
  HealthWatch() = default;
  ~HealthWatch() { leave({}, SteadyTime{}); }
  HealthWatch(const HealthWatch&) = delete;
  HealthWatch& operator=(const HealthWatch&) = delete;

  /// `tokens`: what it may use, by estimate. Error: the target rests; nothing is to be ended.
  Result<void> enter(const Target& target, std::uint64_t tokens, SteadyTime now);
  /// The place is the attempt's own already.
  void hold(std::shared_ptr<TargetHealth> health, const Pass& pass, SteadyTime now);
  [[nodiscard]] bool holds() const { return health_ != nullptr; }
  /// The reply's head says what is left of the key's limits.
  void head(const HeaderFields& headers, SteadyTime now) noexcept;
  /// Content has come; counts once.
  void content(SteadyTime now) noexcept;
  /// It is over. `error` as the loop saw it; `whole`: the reply was read to its end; `usage`:
  /// nullptr where none was told.
  void end(const Error* error, bool whole, const Usage* usage, SteadyTime now) noexcept;

 private:
  void leave(const TargetHealth::Report& report, SteadyTime now) noexcept;

  std::shared_ptr<TargetHealth> health_;  // while an attempt is under way
  Pass pass_;
  SteadyTime since_{};
  bool content_ = false;
};

}  // namespace tollgate::routing
