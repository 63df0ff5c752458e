// Tools that a provider runs itself: which of them take a number of uses, and the number that is
// sent for a caller under a budget who named none (money.md M5). The bound that is reserved and the
// body that is sent both ask here, so that they cannot differ. Pure; any thread.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string_view>

namespace tollgate {

inline constexpr std::uint32_t usual_tool_uses = 5;

/// Whether Anthropic takes `max_uses` with a tool of that type: `web_search_20250305`.
[[nodiscard]] constexpr bool takes_max_uses(std::string_view type) {
  constexpr std::size_t date = 8;
  if (type.size() <= date) return false;
  const std::string_view name = type.substr(0, type.size() - date);
  const bool dated = std::ranges::all_of(type.substr(type.size() - date),
                                         [](char c) { return c >= '0' && c <= '9'; });
  return dated && (name == "web_search_" || name == "web_fetch_");
}

}  // namespace tollgate
