#include "policies/ledger/rows.hpp"

namespace tollgate::ledger {

const std::string_view hours_that_differ = R"sql(
  WITH booked AS (SELECT booked_at / 3600000000 * 3600000000 AS hour, tenant, key_id, model,
      sum(charged_nano_usd) AS charged FROM calls GROUP BY 1, 2, 3, 4),
    gone AS (SELECT coalesce(max(CAST(value AS BIGINT)), -1) AS hour FROM meta
      WHERE name = 'forgotten')
  SELECT t.hour, t.tenant, t.key_id, t.model, t.charged_nano_usd, coalesce(b.charged, 0)
    FROM totals t CROSS JOIN gone LEFT JOIN booked b ON b.hour = t.hour AND b.tenant = t.tenant
      AND b.key_id = t.key_id AND b.model = t.model
    WHERE t.hour > gone.hour AND t.charged_nano_usd <> coalesce(b.charged, 0)
  UNION ALL
  SELECT b.hour, b.tenant, b.key_id, b.model, 0, b.charged
    FROM booked b LEFT JOIN totals t ON b.hour = t.hour AND b.tenant = t.tenant
      AND b.key_id = t.key_id AND b.model = t.model WHERE t.hour IS NULL)sql";

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
  return only.provider == call.provider && only.upstream_model == call.upstream_model &&
         only.usage_from_provider == call.usage_from_provider && only.cost == call.cost &&
         only.charged == call.charged && only.cost_by_kind == call.cost_by_kind &&
         only.price_version == call.price_version && only.usage == call.usage;
}

}  // namespace tollgate::ledger
