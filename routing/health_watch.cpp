#include "routing/health_watch.hpp"

#include <algorithm>
#include <utility>

#include "routing/rate_headers.hpp"

namespace tollgate::routing {

Error resting_error(const Availability& rest, SteadyTime now) {
  const bool limited = rest.rest == Rest::limited;
  Error error =
      make_error(limited ? ErrorKind::upstream_rate_limited : ErrorKind::no_healthy_target,
                 limited ? "Every target of this model is at its provider's limit."
                         : "No target of this model can be used right now.");
  error.origin = Origin::gateway;
  if (rest.usable()) return error;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(rest.until - now);
  error.retry_after = std::max(wait, std::chrono::milliseconds(1));
  return error;
}

Verdict verdict_of(const Error* error) {
  if (error == nullptr) return Verdict::good;
  switch (error->kind) {
    case ErrorKind::upstream_error:
    case ErrorKind::upstream_overloaded:
    case ErrorKind::upstream_timeout:
    case ErrorKind::stream_cut:
      return Verdict::failed;
    case ErrorKind::upstream_rate_limited:
      return Verdict::rate_limited;
    case ErrorKind::upstream_quota:
      return Verdict::no_credit;
    case ErrorKind::upstream_auth:
      return Verdict::bad_key;
    default:
      // The provider's own 4xx: it lives. Anything else is the client's or ours.
      return error->origin == Origin::upstream || error->upstream_status != 0 ? Verdict::good
                                                                              : Verdict::nothing;
  }
}

Result<void> HealthWatch::enter(const Target& target, std::uint64_t tokens, SteadyTime now) {
  if (!target.health || health_) return {};  // one that was waited for
  Availability refused;
  const auto pass = target.health->enter(target.key, now, refused, tokens);
  if (!pass) {
    Error resting = resting_error(refused, now);
    resting.retry = Retry::other_target;  // it has only just fallen ill: the call's others may do
    return std::unexpected(std::move(resting));
  }
  hold(target.health, *pass, now);
  return {};
}

void HealthWatch::hold(std::shared_ptr<TargetHealth> health, const Pass& pass, SteadyTime now) {
  health_ = std::move(health);
  pass_ = pass;
  since_ = now;
  content_ = false;
}

void HealthWatch::content(SteadyTime now) noexcept {
  if (!health_ || content_) return;
  content_ = true;
  health_->first_token(pass_, now - since_, now);
}

void HealthWatch::head(const HeaderFields& headers, SteadyTime now) noexcept {
  if (!health_ || pass_.key == TargetHealth::foreign_key) return;
  if (const auto wait = nothing_left_for(headers)) health_->spare_key(pass_.key, now + *wait);
}

void HealthWatch::end(const Error* error, bool whole, const Usage* usage, SteadyTime now) noexcept {
  if (!health_) return;
  TargetHealth::Report report;
  if (usage != nullptr) report.tokens = usage->input + usage->cache_write + usage->output;
  if (error != nullptr || whole) {
    report.verdict = verdict_of(error);
  }
  if (error != nullptr) {
    report.retry_after = error->retry_after;
    report.error = error->code;
    if (error->kind == ErrorKind::deadline_exceeded && !content_) {
      health_->silent_for(now - since_, now);
    }
  }
  // Whoever left in the middle of a good reply has seen a target that works.
  if (report.verdict == Verdict::nothing && content_) report.verdict = Verdict::good;
  leave(report, now);
}

void HealthWatch::leave(const TargetHealth::Report& report, SteadyTime now) noexcept {
  if (health_) std::exchange(health_, nullptr)->leave(pass_, report, now);
}

}  // namespace tollgate::routing
