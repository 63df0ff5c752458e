#include "gateway/app/gate.hpp"

#include "gateway/core/http.hpp"

namespace tollgate::app {
namespace {

/// In fewer steps than an assignment takes.
void set(std::string& text, std::string_view value) {
  text.clear();
  value.copy(lengthen(text, value.size()), value.size());
}

}  // namespace

Awaitable<Result<Attempt>> BookGate::begin(Call& call, const AttemptTarget& target) {
  AttemptOutcome& attempt = call.outcome.attempts.emplace_back();
  set(attempt.provider, target.provider);
  set(attempt.upstream_model, target.upstream_model);
  attempt.started_at = call.seen_at();
  auto allowed = co_await spending_.begin(target, attempt);
  if (!allowed) {
    call.outcome.attempts.pop_back();
    co_return std::unexpected(allowed.error());
  }
  set(call.outcome.provider, target.provider);
  set(call.outcome.provider_kind, target.provider_kind);
  set(call.outcome.upstream_model, target.upstream_model);
  co_return Attempt(*this, call, call.outcome.attempts.size() - 1);
}

void BookGate::end(Call& call, std::size_t index, const AttemptEnd& how) noexcept {
  AttemptOutcome& attempt = call.outcome.attempts[index];
  attempt.ended_at = call.seen_at();
  attempt.status = how.status;
  attempt.http_status = how.http_status;
  attempt.error = how.error;
  attempt.error_detail = how.error_detail;
  attempt.error_label = how.error_label;
  attempt.usage = how.usage;
  attempt.usage_from_provider = how.usage_from_provider;
  spending_.end(attempt, how);
  Outcome& outcome = call.outcome;
  if (how.usage_from_provider || !outcome.usage_from_provider) return;
  outcome.usage = attempt.usage;
  outcome.usage_from_provider = false;
}

}  // namespace tollgate::app
