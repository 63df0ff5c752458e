#include "gateway/app/usage_report.hpp"

#include "gateway/wire/json_writer.hpp"
#include "policies/denial.hpp"

namespace tollgate::app {
namespace {

std::string amount(const Reading& reading, std::uint64_t value) {
  return reading.budget ? usd_text(static_cast<NanoUsd>(value)) : std::to_string(value);
}

void write(wire::JsonWriter& json, const Reading& reading) {
  const std::uint64_t taken = reading.used + reading.reserved;
  const std::uint64_t remaining = reading.limit - std::min(reading.limit, taken);
  json.begin_object().member("scope", std::string_view(reading.scope));
  json.member("kind", std::string_view(reading.budget ? "budget" : "limit"));
  json.member("unit", std::string_view(reading.what));
  json.key("per");
  reading.per.empty() ? json.null() : json.value(std::string_view(reading.per));
  json.key("limit").raw(amount(reading, reading.limit));
  json.key("used").raw(amount(reading, reading.used));
  json.key("reserved").raw(amount(reading, reading.reserved));
  json.key("remaining").raw(amount(reading, remaining));
  json.key("resets_at");
  if (reading.resets_at && *reading.resets_at != SystemTime::max()) {
    json.value(std::string_view(policies::time_text(*reading.resets_at)));
  } else {
    json.null();
  }
  json.end_object();
}

}  // namespace

std::string usage_json(std::string_view tenant, std::string_view key_id,
                       const std::vector<Reading>& readings) {
  std::string body;
  wire::JsonWriter json(body);
  json.begin_object().member("object", std::string_view("usage"));
  json.member("tenant", tenant).member("key_id", key_id);
  json.key("scopes").begin_array();
  for (const Reading& reading : readings)
    write(json, reading);
  json.end_array().end_object();
  return body;
}

}  // namespace tollgate::app
