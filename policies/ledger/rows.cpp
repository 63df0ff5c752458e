#include "policies/ledger/rows.hpp"

namespace tollgate::ledger {
namespace {

void put_usage(PackedRow& row, const Usage& usage) {
  row.number(usage.input).number(usage.cache_read).number(usage.cache_write);
  row.number(usage.cache_write_1h).number(usage.output).number(usage.reasoning);
}

/// Its money is not that of the call's model (M14). A row `unknown` has one model, because whoever
/// replaces it finds no other there.
bool charged_elsewhere(const Outcome& call, const AttemptOutcome& attempt) {
  return !attempt.model.empty() && attempt.model != call.model &&
         call.status != CallStatus::unknown;
}

/// The last columns of `calls`.
void put_only_attempt(PackedRow& row, const Outcome& call, bool one) {
  row.number(std::int64_t{one});
  if (!one) {
    row.number(std::int64_t{0}).number(std::int64_t{0}).word("").number(std::int64_t{0}).word("");
    return;
  }
  const AttemptOutcome& attempt = call.attempts.front();
  row.number(micros_of(attempt.started_at)).number(micros_of(attempt.ended_at));
  row.word(to_string(attempt.status)).number(std::int64_t{attempt.http_status});
  row.text(attempt.error);
}

}  // namespace

void pack_call(const Outcome& call, bool one_row, std::string& out) {
  PackedRow row(out);
  row.text(call.request_id).number(micros_of(booked_at(call))).text(call.client_request_id);
  row.number(micros_of(call.started_at)).number(micros_of(call.ended_at));
  row.number(micros_of(call.admitted_at)).text(call.tenant).text(call.key_id).text(call.user);
  row.tags(call.tags).word(to_string(call.endpoint)).text(call.model_asked);
  row.text(call.model).text(call.provider).text(call.upstream_model);
  row.number(std::int64_t{call.stream}).word(to_string(call.status));
  row.number(std::int64_t{call.http_status}).text(call.error).text(call.finish);
  put_usage(row, call.usage);
  row.word(usage_source(call.usage_from_provider, call.charged, !call.attempts.empty()));
  row.maybe(call.cost).number(call.charged).costs(call.cost_by_kind);
  row.number(call.avoided).text(call.price_version);
  row.maybe(call.ttft.count() < 0 ? std::nullopt : std::optional<std::int64_t>(call.ttft.count()));
  row.number(std::int64_t{call.duration.count()}).number(std::int64_t{call.overhead.count()});
  row.number(std::uint64_t{call.attempts.size()}).number(call.count).text(call.cache);
  row.text(call.trace_id);
  put_only_attempt(row, call, one_row);
}

void pack_attempt(const Outcome& call, std::size_t number, std::string& out) {
  const AttemptOutcome& attempt = call.attempts[number - 1];
  PackedRow row(out);
  row.text(call.request_id).number(micros_of(booked_at(call))).number(std::uint64_t{number});
  row.number(micros_of(attempt.started_at)).number(micros_of(attempt.ended_at));
  row.text(attempt.provider).text(attempt.upstream_model).word(to_string(attempt.status));
  row.number(std::int64_t{attempt.http_status}).text(attempt.error);
  put_usage(row, attempt.usage);
  row.word(usage_source(attempt.usage_from_provider, attempt.charged, true));
  row.maybe(attempt.cost).number(attempt.charged).costs(attempt.cost_by_kind);
  row.text(attempt.price_version);
  if (charged_elsewhere(call, attempt)) row.text(attempt.model);
}

const std::string_view hours_that_differ = R"sql(
  WITH booked AS (SELECT booked_at / 3600000000 * 3600000000 AS hour, tenant, key_id,
      sum(charged_nano_usd) AS charged FROM calls GROUP BY 1, 2, 3),
    summed AS (SELECT hour, tenant, key_id, sum(charged_nano_usd) AS charged FROM totals
      GROUP BY 1, 2, 3),
    gone AS (SELECT coalesce(max(CAST(value AS BIGINT)), -1) AS hour FROM meta
      WHERE name = 'forgotten')
  SELECT t.hour, t.tenant, t.key_id, t.charged, coalesce(b.charged, 0)
    FROM summed t CROSS JOIN gone LEFT JOIN booked b ON b.hour = t.hour AND b.tenant = t.tenant
      AND b.key_id = t.key_id
    WHERE t.hour > gone.hour AND t.charged <> coalesce(b.charged, 0)
  UNION ALL
  SELECT b.hour, b.tenant, b.key_id, 0, b.charged
    FROM booked b LEFT JOIN summed t ON b.hour = t.hour AND b.tenant = t.tenant
      AND b.key_id = t.key_id WHERE t.hour IS NULL)sql";

const std::string_view calls_that_differ = R"sql(
  SELECT c.request_id, c.charged_nano_usd, coalesce(sum(a.charged_nano_usd), 0)
    FROM calls c LEFT JOIN attempts a ON a.request_id = c.request_id AND a.booked_at = c.booked_at
    WHERE c.attempts > 0 AND c.one_row = 0 GROUP BY c.request_id, c.charged_nano_usd
    HAVING coalesce(sum(a.charged_nano_usd), 0) <> c.charged_nano_usd)sql";

std::string views_for_people(std::string_view started, std::string_view hour_utc) {
  const std::string people = "SELECT *, " + std::string(started) +
                             " AS started, cost_nano_usd / 1e9 AS cost_usd, "
                             "charged_nano_usd / 1e9 AS charged_usd FROM ";
  return "CREATE VIEW call_rows AS " + people + "calls;\nCREATE VIEW attempt_rows AS " + people +
         R"sql((
    SELECT * FROM attempts UNION ALL
    SELECT request_id, booked_at, 1, attempt_started_at, attempt_ended_at, provider,
      upstream_model, attempt_status, attempt_http_status, attempt_error, input_tokens,
      cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens,
      reasoning_tokens, usage_source, cost_nano_usd, charged_nano_usd, cost_by_kind,
      price_version FROM calls WHERE one_row = 1) AS every;
CREATE VIEW spend_by_hour AS SELECT )sql" +
         std::string(hour_utc) +
         " AS hour_utc, tenant, key_id, model, calls, charged_nano_usd, "
         "charged_nano_usd / 1e9 AS charged_usd FROM totals;\n";
}

bool is_one_row(const Outcome& call) {
  if (call.attempts.size() != 1) return false;
  const AttemptOutcome& only = call.attempts.front();
  return !charged_elsewhere(call, only) && only.provider == call.provider &&
         only.upstream_model == call.upstream_model &&
         only.usage_from_provider == call.usage_from_provider && only.cost == call.cost &&
         only.charged == call.charged && only.cost_by_kind == call.cost_by_kind &&
         only.price_version == call.price_version && only.usage == call.usage;
}

}  // namespace tollgate::ledger
