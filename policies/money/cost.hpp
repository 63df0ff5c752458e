// Cost: what an attempt did cost (money.md M11, M12). Pure arithmetic over integers: sums are exact
// and rounded up to a nano-dollar once. Called when an attempt ends, on its worker.
#pragma once
#include <cstdint>
#include <optional>

#include "config/price_book.hpp"
#include "gateway/core/event.hpp"

namespace tollgate::policies {

/// A price for each token kind, dearest or real.
struct Cost {
  NanoUsd total = 0;
  CostByKind by_kind;  ///< adds up to total
};

/// What `usage` costs by `row`: its length tier by prompt(), missing kinds as M12 says, `request`
/// fee, `image` and tool uses where usage counts them. nullopt: a kind that was used has no price.
[[nodiscard]] std::optional<Cost> cost_of(const Usage& usage, const config::PriceRow& row);

}  // namespace tollgate::policies
