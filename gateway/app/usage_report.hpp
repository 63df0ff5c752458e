// The body of GET /v1/usage. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/store.hpp"

namespace tollgate::app {

/// `{"object":"usage","tenant","key_id","scopes":[{"scope","kind","per","limit","used","reserved",
/// "remaining","resets_at"}]}`: budgets in US dollars, limits in requests, tokens or calls.
[[nodiscard]] std::string usage_json(std::string_view tenant, std::string_view key_id,
                                     const std::vector<Reading>& readings);

}  // namespace tollgate::app
