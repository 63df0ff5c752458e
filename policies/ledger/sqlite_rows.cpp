#include "policies/ledger/sqlite_rows.hpp"

#include <cstdlib>

#include "policies/ledger/row_text.hpp"

namespace tollgate::ledger {
namespace {

/// The only attempt of a call, as far as the call's own row does not say it.
std::string only_attempt_text(const Outcome& call) {
  if (!is_one_row(call)) return {};
  const AttemptOutcome& a = call.attempts.front();
  return std::to_string(micros_of(a.started_at)) + " " + std::to_string(micros_of(a.ended_at)) +
         " " + std::to_string(a.http_status) + " " + std::string(to_string(a.status)) + " " +
         a.error;
}

Usage usage_at(const Statement& row, int column) {
  const auto at = [&](int offset) {
    return static_cast<std::uint64_t>(row.number_at(column + offset));
  };
  Usage usage;
  usage.input = at(0);
  usage.cache_read = at(1);
  usage.cache_write = at(2);
  usage.cache_write_1h = at(3);
  usage.output = at(4);
  usage.reasoning = at(5);
  return usage;
}

/// See only_attempt_text.
AttemptOutcome only_attempt(const Outcome& call, const std::string& text) {
  AttemptOutcome attempt;
  attempt.provider = call.provider;
  attempt.upstream_model = call.upstream_model;
  char* at = nullptr;
  attempt.started_at = time_of(std::strtoll(text.c_str(), &at, 10));
  attempt.ended_at = time_of(std::strtoll(at, &at, 10));
  attempt.http_status = static_cast<int>(std::strtol(at, &at, 10));
  const std::string rest(*at == ' ' ? at + 1 : at);
  const std::size_t space = rest.find(' ');
  attempt.status = parse_status(rest.substr(0, space));
  if (space != std::string::npos) attempt.error = rest.substr(space + 1);
  attempt.usage = call.usage;
  attempt.usage_from_provider = call.usage_from_provider;
  attempt.cost = call.cost;
  attempt.charged = call.charged;
  attempt.cost_by_kind = call.cost_by_kind;
  attempt.price_version = call.price_version;
  return attempt;
}

}  // namespace

bool is_one_row(const Outcome& call) {
  if (call.attempts.size() != 1) return false;
  const AttemptOutcome& only = call.attempts.front();
  return only.provider == call.provider && only.upstream_model == call.upstream_model &&
         only.usage_from_provider == call.usage_from_provider && only.cost == call.cost &&
         only.charged == call.charged && only.cost_by_kind == call.cost_by_kind &&
         only.price_version == call.price_version && only.usage == call.usage;
}

void bind_call(Statement& row, const Outcome& call) {
  row.text(call.request_id).text(call.client_request_id);
  row.number(micros_of(call.started_at)).number(micros_of(call.ended_at));
  row.number(micros_of(call.admitted_at)).text(call.tenant).text(call.key_id).text(call.user);
  row.text(tags_json(call.tags)).text(to_string(call.endpoint)).text(call.model_asked);
  row.text(call.model).text(call.provider).text(call.upstream_model);
  row.number(std::int64_t{call.stream}).text(to_string(call.status));
  row.number(std::int64_t{call.http_status}).text(call.error).text(call.finish);
  const Usage& usage = call.usage;
  row.number(usage.input).number(usage.cache_read).number(usage.cache_write);
  row.number(usage.cache_write_1h).number(usage.output).number(usage.reasoning);
  row.text(usage_source(call.usage_from_provider, call.charged, !call.attempts.empty()));
  row.maybe(call.cost).number(call.charged).text(cost_json(call.cost_by_kind));
  row.number(call.avoided).text(call.price_version);
  row.maybe(call.ttft.count() < 0 ? std::nullopt : std::optional<std::int64_t>(call.ttft.count()));
  row.number(std::int64_t{call.duration.count()}).number(std::int64_t{call.overhead.count()});
  row.number(std::uint64_t{call.attempts.size()}).number(call.count).text(call.cache);
  row.text(call.trace_id).text(only_attempt_text(call));
}

void bind_attempt(Statement& row, const Outcome& call, std::size_t number) {
  const AttemptOutcome& attempt = call.attempts[number - 1];
  row.text(call.request_id).number(std::uint64_t{number});
  row.number(micros_of(attempt.started_at)).number(micros_of(attempt.ended_at));
  row.text(attempt.provider).text(attempt.upstream_model).text(to_string(attempt.status));
  row.number(std::int64_t{attempt.http_status}).text(attempt.error);
  const Usage& usage = attempt.usage;
  row.number(usage.input).number(usage.cache_read).number(usage.cache_write);
  row.number(usage.cache_write_1h).number(usage.output).number(usage.reasoning);
  row.text(usage_source(attempt.usage_from_provider, attempt.charged, true));
  row.maybe(attempt.cost).number(attempt.charged).text(cost_json(attempt.cost_by_kind));
  row.text(attempt.price_version);
}

Outcome call_at(const Statement& row, bool& others) {
  Outcome call;
  call.request_id = row.text_at(0);
  call.client_request_id = row.text_at(1);
  call.started_at = time_of(row.number_at(2));
  call.ended_at = time_of(row.number_at(3));
  call.admitted_at = time_of(row.number_at(4));
  call.tenant = row.text_at(5);
  call.key_id = row.text_at(6);
  call.user = row.text_at(7);
  call.tags = parse_tags(row.text_at(8));
  call.endpoint = parse_endpoint(row.text_at(9));
  call.model_asked = row.text_at(10);
  call.model = row.text_at(11);
  call.provider = row.text_at(12);
  call.upstream_model = row.text_at(13);
  call.stream = row.number_at(14) != 0;
  call.status = parse_status(row.text_at(15));
  call.http_status = static_cast<int>(row.number_at(16));
  call.error = row.text_at(17);
  call.finish = row.text_at(18);
  call.usage = usage_at(row, 19);
  call.usage_from_provider = row.text_at(25) == "provider";
  call.cost = row.maybe_at(26);
  call.charged = row.number_at(27);
  call.cost_by_kind = parse_cost(row.text_at(28));
  call.avoided = row.number_at(29);
  call.price_version = row.text_at(30);
  call.ttft = std::chrono::microseconds(row.maybe_at(31).value_or(-1));
  call.duration = std::chrono::microseconds(row.number_at(32));
  call.overhead = std::chrono::microseconds(row.number_at(33));
  call.count = static_cast<std::uint64_t>(row.number_at(35));
  call.cache = row.text_at(36);
  call.trace_id = row.text_at(37);
  const auto attempts = row.number_at(34);
  if (const std::string only = row.text_at(38); attempts == 1 && !only.empty())
    call.attempts.push_back(only_attempt(call, only));
  others = attempts > 0 && call.attempts.empty();
  return call;
}

AttemptOutcome attempt_at(const Statement& row) {
  AttemptOutcome attempt;
  attempt.started_at = time_of(row.number_at(2));
  attempt.ended_at = time_of(row.number_at(3));
  attempt.provider = row.text_at(4);
  attempt.upstream_model = row.text_at(5);
  attempt.status = parse_status(row.text_at(6));
  attempt.http_status = static_cast<int>(row.number_at(7));
  attempt.error = row.text_at(8);
  attempt.usage = usage_at(row, 9);
  attempt.usage_from_provider = row.text_at(15) == "provider";
  attempt.cost = row.maybe_at(16);
  attempt.charged = row.number_at(17);
  attempt.cost_by_kind = parse_cost(row.text_at(18));
  attempt.price_version = row.text_at(19);
  return attempt;
}

}  // namespace tollgate::ledger
