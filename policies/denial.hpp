// How a store's denial reads to a client (money.md M19): status and code by kind, and the figures
// that say why. Pure.
#pragma once
#include "gateway/core/error.hpp"
#include "gateway/core/store.hpp"

namespace tollgate::policies {

/// 429 rate_limit_exceeded, budget_reserved or budget_exceeded, or 503 store_unavailable.
[[nodiscard]] Error error_of(const Denial& denial);

/// RFC 3339 to the second, UTC.
[[nodiscard]] std::string time_text(SystemTime time);

}  // namespace tollgate::policies
