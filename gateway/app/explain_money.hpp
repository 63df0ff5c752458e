// What `explain` says about money: the price of a target's model, and the limits and budgets that
// stand between a tenant and a model. Lines of text without their indentation. Pure. Called by
// explain.cpp.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "policies/money/tariff.hpp"

namespace tollgate::app {

/// A target's prices, the rows of service tiers among them, and what its model takes.
[[nodiscard]] std::vector<std::string> price_lines(const policies::Tariff& tariff,
                                                   config::UnknownPrice unknown);
/// What the provider allows us; empty: nothing is said.
[[nodiscard]] std::string provider_limit_text(const config::ProviderLimits& limits);

/// Every scope that has to allow a call, with what it allows: `{"tenant acme", "600 requests
/// ..."}`. `tenant` empty: the model's alone.
using ScopeLines = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] ScopeLines limit_lines(const config::Config& config, const std::string& route,
                                     const std::string& tenant);

}  // namespace tollgate::app
