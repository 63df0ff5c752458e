// Rows: the columns of `calls` and `attempts` and the Outcomes that they stand for, both
// directions, the same for every engine. Written packed, by any thread; read from a `Row` that
// gives values by column (text_at, number_at, maybe_at), by the Books on their thread.
#pragma once
#include <string>
#include <string_view>

#include "gateway/core/outcome.hpp"
#include "policies/ledger/packed_row.hpp"
#include "policies/ledger/row_text.hpp"

namespace tollgate::ledger {

/// Times are microseconds since 1970, UTC. `booked_at` is `admitted_at`, or `started_at` of what
/// was never admitted: its hour is the call's hour in `totals`. A call of one attempt has that
/// attempt's own figures in its last columns and no row in `attempts` (`one_row`, M29).
inline constexpr std::string_view call_columns = R"sql(
  request_id TEXT NOT NULL, booked_at BIGINT NOT NULL, client_request_id TEXT NOT NULL,
  started_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, admitted_at BIGINT NOT NULL,
  tenant TEXT NOT NULL, key_id TEXT NOT NULL, "user" TEXT NOT NULL, tags TEXT NOT NULL,
  endpoint TEXT NOT NULL, model_asked TEXT NOT NULL, model TEXT NOT NULL,
  provider TEXT NOT NULL, upstream_model TEXT NOT NULL, stream BIGINT NOT NULL,
  status TEXT NOT NULL, http_status BIGINT NOT NULL, error TEXT NOT NULL, finish TEXT NOT NULL,
  input_tokens BIGINT NOT NULL, cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL, cache_write_1h_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL, reasoning_tokens BIGINT NOT NULL, usage_source TEXT NOT NULL,
  cost_nano_usd BIGINT, charged_nano_usd BIGINT NOT NULL, cost_by_kind TEXT NOT NULL,
  avoided_nano_usd BIGINT NOT NULL, price_version TEXT NOT NULL,
  ttft_us BIGINT, duration_us BIGINT NOT NULL, overhead_us BIGINT NOT NULL,
  attempts BIGINT NOT NULL, count BIGINT NOT NULL, cache TEXT NOT NULL, trace_id TEXT NOT NULL,
  one_row BIGINT NOT NULL, attempt_started_at BIGINT NOT NULL, attempt_ended_at BIGINT NOT NULL,
  attempt_status TEXT NOT NULL, attempt_http_status BIGINT NOT NULL,
  attempt_error TEXT NOT NULL)sql";
inline constexpr std::size_t call_width = 45;

inline constexpr std::string_view attempt_columns = R"sql(
  request_id TEXT NOT NULL, booked_at BIGINT NOT NULL, attempt BIGINT NOT NULL,
  started_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, provider TEXT NOT NULL,
  upstream_model TEXT NOT NULL, status TEXT NOT NULL, http_status BIGINT NOT NULL,
  error TEXT NOT NULL, input_tokens BIGINT NOT NULL, cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL, cache_write_1h_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL, reasoning_tokens BIGINT NOT NULL, usage_source TEXT NOT NULL,
  cost_nano_usd BIGINT, charged_nano_usd BIGINT NOT NULL, cost_by_kind TEXT NOT NULL,
  price_version TEXT NOT NULL)sql";
inline constexpr std::size_t attempt_width = 21;
/// Of a packed row. Behind its columns stands the model that bears its money, where it is not the
/// call's (M14): sums need it, the tables do not have it.
inline constexpr int attempt_charged = 18, attempt_model = 21;

/// By the hour of admission; kept with the rows in one transaction, and outlives them.
inline constexpr std::string_view totals_columns = R"sql(
  hour BIGINT NOT NULL, tenant TEXT NOT NULL, key_id TEXT NOT NULL, model TEXT NOT NULL,
  calls BIGINT NOT NULL, charged_nano_usd BIGINT NOT NULL,
  PRIMARY KEY (hour, tenant, key_id, model))sql";
inline constexpr std::string_view add_to_totals =
    " ON CONFLICT (hour, tenant, key_id, model) DO UPDATE SET calls = totals.calls + "
    "excluded.calls, charged_nano_usd = totals.charged_nano_usd + excluded.charged_nano_usd";

/// Views: `call_rows` and `attempt_rows` hold what an export shows, `spend_by_hour` the sums.
/// `started`, `hour_utc`: how the engine makes a time for people of `started_at` and of `hour`.
[[nodiscard]] std::string views_for_people(std::string_view started, std::string_view hour_utc);

/// The hours whose rows and sums differ: hour, tenant, key, model, what sums say, what rows say.
/// Sums outlive rows: hours up to the last that lost some are left out.
extern const std::string_view hours_that_differ;
/// The calls whose own row and whose attempts differ: request id, charged, attempts' sum.
extern const std::string_view calls_that_differ;

/// Decides the partition and the hour that a call counts in.
[[nodiscard]] inline SystemTime booked_at(const Outcome& call) {
  return call.admitted_at > SystemTime{} ? call.admitted_at : call.started_at;
}

/// Whether the call's own row says all of its attempt (M29); else attempts have rows beside it.
[[nodiscard]] bool is_one_row(const Outcome& call);

/// Appends the columns of `calls`, packed. `one_row`: `is_one_row` said so.
void pack_call(const Outcome& call, bool one_row, std::string& out);
/// Appends the columns of `attempts`, packed; the first attempt is number 1.
void pack_attempt(const Outcome& call, std::size_t number, std::string& out);

template <class Row>
[[nodiscard]] Usage usage_at(const Row& row, int column) {
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

template <class Row>
[[nodiscard]] AttemptOutcome only_attempt_at(const Row& row, const Outcome& call) {
  AttemptOutcome attempt;
  attempt.provider = call.provider;
  attempt.upstream_model = call.upstream_model;
  attempt.started_at = time_of(row.number_at(40));
  attempt.ended_at = time_of(row.number_at(41));
  attempt.status = parse_status(row.text_at(42));
  attempt.http_status = static_cast<int>(row.number_at(43));
  attempt.error = row.text_at(44);
  attempt.usage = call.usage;
  attempt.usage_from_provider = call.usage_from_provider;
  attempt.cost = call.cost;
  attempt.charged = call.charged;
  attempt.cost_by_kind = call.cost_by_kind;
  attempt.price_version = call.price_version;
  return attempt;
}

/// The call in a row of `calls`; `others`: its attempts are in `attempts`.
template <class Row>
[[nodiscard]] Outcome call_at(const Row& row, bool& others) {
  Outcome call;
  call.request_id = row.text_at(0);
  call.client_request_id = row.text_at(2);
  call.started_at = time_of(row.number_at(3));
  call.ended_at = time_of(row.number_at(4));
  call.admitted_at = time_of(row.number_at(5));
  call.tenant = row.text_at(6);
  call.key_id = row.text_at(7);
  call.user = row.text_at(8);
  call.tags = parse_tags(row.text_at(9));
  call.endpoint = parse_endpoint(row.text_at(10));
  call.model_asked = row.text_at(11);
  call.model = row.text_at(12);
  call.provider = row.text_at(13);
  call.upstream_model = row.text_at(14);
  call.stream = row.number_at(15) != 0;
  call.status = parse_status(row.text_at(16));
  call.http_status = static_cast<int>(row.number_at(17));
  call.error = row.text_at(18);
  call.finish = row.text_at(19);
  call.usage = usage_at(row, 20);
  call.usage_from_provider = row.text_at(26) == "provider";
  call.cost = row.maybe_at(27);
  call.charged = row.number_at(28);
  call.cost_by_kind = parse_cost(row.text_at(29));
  call.avoided = row.number_at(30);
  call.price_version = row.text_at(31);
  call.ttft = std::chrono::microseconds(row.maybe_at(32).value_or(-1));
  call.duration = std::chrono::microseconds(row.number_at(33));
  call.overhead = std::chrono::microseconds(row.number_at(34));
  call.count = static_cast<std::uint64_t>(row.number_at(36));
  call.cache = row.text_at(37);
  call.trace_id = row.text_at(38);
  if (row.number_at(39) != 0) call.attempts.push_back(only_attempt_at(row, call));
  others = row.number_at(35) > 0 && call.attempts.empty();
  return call;
}

/// The attempt in a row of `attempts`.
template <class Row>
[[nodiscard]] AttemptOutcome attempt_at(const Row& row) {
  AttemptOutcome attempt;
  attempt.started_at = time_of(row.number_at(3));
  attempt.ended_at = time_of(row.number_at(4));
  attempt.provider = row.text_at(5);
  attempt.upstream_model = row.text_at(6);
  attempt.status = parse_status(row.text_at(7));
  attempt.http_status = static_cast<int>(row.number_at(8));
  attempt.error = row.text_at(9);
  attempt.usage = usage_at(row, 10);
  attempt.usage_from_provider = row.text_at(16) == "provider";
  attempt.cost = row.maybe_at(17);
  attempt.charged = row.number_at(18);
  attempt.cost_by_kind = parse_cost(row.text_at(19));
  attempt.price_version = row.text_at(20);
  return attempt;
}

}  // namespace tollgate::ledger
