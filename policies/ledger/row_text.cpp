#include "policies/ledger/row_text.hpp"

#include <array>
#include <cstdio>

#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_walk.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::ledger {
namespace {

constexpr std::array statuses{CallStatus::ok,           CallStatus::error,
                              CallStatus::client_abort, CallStatus::cancelled,
                              CallStatus::cache_hit,    CallStatus::denied};
constexpr std::array endpoints{Endpoint::chat, Endpoint::completions, Endpoint::embeddings};

}  // namespace

std::string cost_json(const CostByKind& cost) {
  std::string out = "{";
  for (const CostKind& kind : cost_kinds) {
    const NanoUsd nano = cost.*kind.member;
    if (nano == 0) continue;
    if (out.size() > 1) out += ',';
    out.append("\"").append(kind.name).append("\":").append(std::to_string(nano));
  }
  return out + "}";
}

CostByKind parse_cost(std::string_view json) {
  CostByKind cost;
  for (const CostKind& kind : cost_kinds) {
    if (const auto value = wire::json_member(json, kind.name)) {
      cost.*kind.member = wire::json_int(*value).value_or(0);
    }
  }
  return cost;
}

std::string tags_json(const HeaderList& tags) {
  std::string out;
  wire::JsonWriter json(out);
  json.begin_object();
  for (const auto& [name, value] : tags)
    json.key(std::string_view(name)).value(std::string_view(value));
  json.end_object();
  return out;
}

HeaderList parse_tags(std::string_view json) {
  HeaderList tags;
  for (wire::JsonMembers members(json); members.next();)
    tags.emplace_back(members.name(), wire::json_string(members.value()).value_or(""));
  return tags;
}

CallStatus parse_status(std::string_view text) {
  for (const CallStatus status : statuses) {
    if (to_string(status) == text) return status;
  }
  return CallStatus::unknown;
}

Endpoint parse_endpoint(std::string_view text) {
  for (const Endpoint endpoint : endpoints) {
    if (to_string(endpoint) == text) return endpoint;
  }
  return Endpoint::chat;
}

std::string_view usage_source(bool from_provider, NanoUsd charged, bool attempted) {
  if (from_provider) return "provider";
  return attempted || charged > 0 ? "estimated" : "";
}

std::string timestamp(SystemTime time) {
  const auto micro = std::chrono::floor<std::chrono::microseconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(micro);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(micro - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int{date.year()},
                unsigned{date.month()}, unsigned{date.day()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

}  // namespace tollgate::ledger
