// How rows spell what is more than a number: tags, cost by kind, enums. Both directions. Pure.
#pragma once
#include <string>
#include <string_view>

#include "gateway/core/outcome.hpp"

namespace tollgate::ledger {

/// `{"input":12,"output":30}`: kinds that cost something, in nano-dollars.
[[nodiscard]] std::string cost_json(const CostByKind& cost);
[[nodiscard]] CostByKind parse_cost(std::string_view json);
/// `{"team":"red"}`.
[[nodiscard]] std::string tags_json(const HeaderList& tags);
[[nodiscard]] HeaderList parse_tags(std::string_view json);
[[nodiscard]] CallStatus parse_status(std::string_view text);
[[nodiscard]] Endpoint parse_endpoint(std::string_view text);
[[nodiscard]] std::string_view usage_source(bool from_provider, NanoUsd charged, bool attempted);

/// `2026-11-30T05:00:00.123456Z`.
[[nodiscard]] std::string timestamp(SystemTime time);

}  // namespace tollgate::ledger
