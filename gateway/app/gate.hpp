// BookGate: leave to send, and the book of attempts in the call's Outcome. The money policies of a
// later issue stand here, between the attempt loop and the provider.
#pragma once
#include "gateway/core/attempt.hpp"

namespace tollgate::app {

class BookGate final : public AttemptGate, private AttemptBook {
 public:
  Awaitable<Result<Attempt>> begin(Call& call, const AttemptTarget& target) override {
    AttemptOutcome attempt;
    attempt.provider = target.provider;
    attempt.upstream_model = target.upstream_model;
    attempt.started_at = std::chrono::system_clock::now();
    call.outcome.attempts.push_back(std::move(attempt));
    call.outcome.provider = target.provider;
    call.outcome.provider_kind = target.provider_kind;
    call.outcome.upstream_model = target.upstream_model;
    co_return Attempt(*this, call, call.outcome.attempts.size() - 1);
  }

 private:
  void end(Call& call, std::size_t index, const AttemptEnd& how) noexcept override {
    AttemptOutcome& attempt = call.outcome.attempts[index];
    attempt.ended_at = std::chrono::system_clock::now();
    attempt.status = how.status;
    attempt.http_status = how.http_status;
    attempt.error = how.error;
    attempt.error_detail = how.error_detail;
    attempt.error_label = how.error_label;
    attempt.usage = how.usage;
    attempt.usage_from_provider = how.usage_from_provider;
  }
};

}  // namespace tollgate::app
