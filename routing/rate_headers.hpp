// Rate headers: what a provider's reply says about what is left of our limits there. Pure; looked
// at once a reply, on the call's worker.
#pragma once
#include <chrono>
#include <optional>

#include "gateway/core/http.hpp"

namespace tollgate::routing {

/// How long nothing is left of some limit: `x-ratelimit-remaining-{requests,tokens}: 0` with its
/// reset as a delay (OpenAI and alike), `anthropic-ratelimit-*-remaining: 0` with its reset as an
/// RFC 3339 time relative to the reply's `date`. nullopt: something is left, or no reset is told.
[[nodiscard]] std::optional<std::chrono::milliseconds> nothing_left_for(
    const HeaderFields& headers);

}  // namespace tollgate::routing
