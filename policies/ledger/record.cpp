#include "policies/ledger/record.hpp"

#include "policies/ledger/archive.hpp"

namespace tollgate::ledger {
namespace {

// One list of members for both directions: `O` is const when writing.
template <class Archive, class C>
void visit_cost(Archive& archive, C& cost) {
  for (const CostKind& kind : cost_kinds)
    archive(cost.*kind.member);
}

template <class Archive, class A>
void visit_attempt(Archive& archive, A& attempt) {
  archive(attempt.provider);
  archive(attempt.upstream_model);
  archive(attempt.status);
  archive(attempt.http_status);
  archive(attempt.error);
  archive(attempt.started_at);
  archive(attempt.ended_at);
  archive.unless_empty(attempt.usage, [&](auto& each) { visit_tokens(archive, each); });
  archive(attempt.usage_from_provider);
  archive(attempt.reserved);
  archive(attempt.cost);
  archive(attempt.charged);
  archive.unless_empty(attempt.cost_by_kind, [&](auto& each) { visit_cost(archive, each); });
  archive(attempt.price_version);
}

template <class Archive, class O>
void visit_call(Archive& archive, O& call) {
  archive(call.request_id);
  archive(call.client_request_id);
  archive(call.started_at);
  archive(call.ended_at);
  archive(call.admitted_at);
  archive(call.tenant);
  archive(call.key_id);
  archive(call.user);
  archive.list(call.tags, [&](auto& tag) {
    archive(tag.first);
    archive(tag.second);
  });
  archive(call.endpoint);
  archive(call.model_asked);
  archive(call.model);
  archive(call.provider);
  archive(call.upstream_model);
  archive(call.stream);
  archive(call.status);
  archive(call.http_status);
  archive(call.error);
  archive(call.finish);
}

template <class Archive, class O>
void visit_figures(Archive& archive, O& call) {
  archive.unless_empty(call.usage, [&](auto& each) { visit_tokens(archive, each); });
  archive(call.usage_from_provider);
  archive(call.ttft);
  archive(call.duration);
  archive(call.overhead);
  archive(call.cost);
  archive(call.charged);
  archive(call.avoided);
  archive.unless_empty(call.cost_by_kind, [&](auto& each) { visit_cost(archive, each); });
  archive(call.price_version);
  archive(call.count);
  archive(call.cache);
  archive(call.trace_id);
  archive.list(call.attempts, [&](auto& attempt) { visit_attempt(archive, attempt); });
}

}  // namespace

void write_intent(const Outcome& outcome, std::string& out) {
  WriteArchive archive(out);
  archive(RecordKind::intent);
  visit_call(archive, outcome);
  visit_figures(archive, outcome);
}

std::optional<Outcome> read_outcome(RecordKind kind, std::string_view bytes) {
  ReadArchive archive(bytes);
  RecordKind found{};
  archive(found);
  if (found != kind) return std::nullopt;
  Outcome outcome;
  visit_call(archive, outcome);
  visit_figures(archive, outcome);
  if (!archive.good()) return std::nullopt;
  return outcome;
}

void make_unknown(Outcome& outcome) {
  outcome.status = CallStatus::unknown;
  outcome.usage_from_provider = false;
  outcome.http_status = 0;
  if (outcome.ended_at < outcome.started_at) outcome.ended_at = outcome.started_at;
  if (outcome.attempts.empty()) return;
  AttemptOutcome& last = outcome.attempts.back();
  last.status = CallStatus::unknown;
  last.ended_at = last.started_at;
  last.charged = last.reserved;
  last.cost_by_kind = {};
  last.cost_by_kind.input = last.charged;
  if (!last.price_version.empty()) last.cost = last.charged;
  outcome.charged = 0;
  outcome.cost = 0;
  outcome.cost_by_kind = {};
  for (const AttemptOutcome& attempt : outcome.attempts) {
    outcome.charged = add_saturated(outcome.charged, attempt.charged);
    outcome.cost_by_kind.input = add_saturated(outcome.cost_by_kind.input, attempt.charged);
    if (!attempt.cost) outcome.cost.reset();
    if (outcome.cost) *outcome.cost = add_saturated(*outcome.cost, *attempt.cost);
  }
  outcome.provider = last.provider;
  outcome.upstream_model = last.upstream_model;
  outcome.price_version = last.price_version;
}

}  // namespace tollgate::ledger
