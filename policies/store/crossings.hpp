// Crossings: which `warn_at` steps the spending of a scope has passed (money.md M18). Private to
// policies/store; the caller holds the scope's lock.
#pragma once
#include <vector>

#include "policies/store/balance.hpp"

namespace tollgate::policies {

/// What a window looked like when it passed a step. `start`: when its spending began.
struct CrossedWindow {
  SystemTime start{}, admitted{}, now{};
  NanoUsd spent = 0, reserved = 0;
};
[[nodiscard]] Crossing crossing_of(const Scope& scope, const BudgetRule& rule,
                                   std::uint32_t permille, const CrossedWindow& window);

/// Adds the steps that the window of a call admitted at `admitted` has passed and nobody was told
/// of; they count as told.
void note_crossings(const Scope& scope, Balance& balance, SystemTime admitted, SystemTime now,
                    std::vector<Crossing>& out);

}  // namespace tollgate::policies
