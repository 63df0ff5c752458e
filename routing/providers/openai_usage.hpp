// The `usage` object of OpenAI-shaped replies, with the places where its dialects keep the counts
// of cached tokens. Pure.
#pragma once
#include <optional>
#include <string_view>

#include "gateway/core/event.hpp"

namespace tollgate::routing::openai {

/// Nothing when the object has no total, prompt or completion count (an empty or all-null one).
[[nodiscard]] std::optional<Usage> read_usage(std::string_view json);

}  // namespace tollgate::routing::openai
