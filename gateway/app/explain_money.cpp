#include "gateway/app/explain_money.hpp"

#include <array>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include "config/values.hpp"
#include "gateway/core/money.hpp"
#include "gateway/core/store.hpp"

namespace tollgate::app {
namespace {

using config::PriceRow;
using config::Rates;

struct Kind {
  std::string_view name;
  std::optional<NanoUsd> Rates::* rate;
};
constexpr std::array kinds{Kind{"input", &Rates::input},
                           Kind{"cache_read", &Rates::cache_read},
                           Kind{"cache_write", &Rates::cache_write},
                           Kind{"cache_write_1h", &Rates::cache_write_1h},
                           Kind{"output", &Rates::output},
                           Kind{"reasoning", &Rates::reasoning},
                           Kind{"audio_input", &Rates::audio_input},
                           Kind{"audio_output", &Rates::audio_output}};

void add(std::string& list, std::string_view item) {
  if (!list.empty()) list += ", ";
  list += item;
}

std::string rates_text(const Rates& rates) {
  std::string text;
  for (const Kind& kind : kinds) {
    if (rates.*kind.rate) add(text, fmt::format("{} {}", kind.name, usd_text(*(rates.*kind.rate))));
  }
  return text;
}

std::string fees_text(const PriceRow& row) {
  std::string text;
  if (row.image) add(text, fmt::format("{} an image", usd_text(*row.image)));
  if (row.request) add(text, fmt::format("{} a request", usd_text(*row.request)));
  for (const auto& [tool, usd] : row.tools)
    add(text, fmt::format("{} a use of {}", usd_text(usd), tool));
  return text;
}

void add_row(std::vector<std::string>& lines, const PriceRow& row) {
  const std::string tier = row.service_tier.empty() ? "" : " at tier " + row.service_tier;
  lines.push_back(fmt::format("price{}: {} USD a million tokens ({})", tier, rates_text(row.rates),
                              row.version));
  for (const config::LengthTier& length : row.tiers) {
    lines.push_back(fmt::format("price{} above {} prompt tokens: {}", tier, length.above,
                                rates_text(length.rates)));
  }
  const std::string fees = fees_text(row);
  if (!fees.empty()) lines.push_back(fmt::format("price{} besides: {} (USD)", tier, fees));
}

std::string_view unknown_text(config::UnknownPrice unknown) {
  switch (unknown) {
    case config::UnknownPrice::deny:
      return "price: unknown; callers under a budget get 400 model_unpriced";
    case config::UnknownPrice::estimate:
      return "price: unknown, and the provider has no other that could stand in; callers under a "
             "budget get 400 model_unpriced";
    case config::UnknownPrice::allow:
      return "price: unknown; calls are charged nothing";
  }
  return "";
}

std::string limits_text(const config::LimitsConfig& limits) {
  std::string text;
  if (limits.requests_per_minute.value_or(0) != 0)
    add(text, fmt::format("{} requests a minute", *limits.requests_per_minute));
  if (limits.tokens_per_minute.value_or(0) != 0)
    add(text, fmt::format("{} tokens a minute", *limits.tokens_per_minute));
  if (limits.concurrent.value_or(0) != 0)
    add(text, fmt::format("{} at a time", *limits.concurrent));
  if (text.empty()) return text;
  if (limits.burst) add(text, "in bursts of " + config::to_text(*limits.burst));
  if (limits.enforce == false) text += " (counts and warns only)";
  return text;
}

std::string budget_text(const config::BudgetConfig& budget) {
  std::string text = fmt::format("{} USD per {}", usd_text(budget.usd.nano),
                                 to_string(static_cast<Per>(budget.per)));
  if (budget.since) text += " since " + config::to_text(*budget.since);
  if (budget.reserve == config::BudgetReserve::estimate) text += ", soft: reserves an estimate";
  if (!budget.enforce) text += " (counts and warns only)";
  return text;
}

class Scopes {
 public:
  void add(const std::string& scope, const config::LimitsConfig& limits) {
    const std::string text = limits_text(limits);
    if (!text.empty()) lines_.emplace_back(scope, text);
  }
  void add(const std::string& scope, const std::vector<config::BudgetConfig>& budgets) {
    for (const config::BudgetConfig& budget : budgets)
      lines_.emplace_back(scope, budget_text(budget));
  }
  void add(const std::string& name, const config::TenantConfig& tenant) {
    const std::string scope = "tenant " + name;
    if (tenant.limits) add(scope, *tenant.limits);
    add(scope, tenant.budgets);
    if (!tenant.budgets.empty() && !tenant.on_budget_exceeded.downgrade.empty()) {
      lines_.emplace_back(scope, "goes on with " + tenant.on_budget_exceeded.downgrade +
                                     " when its budget is spent");
    }
    if (tenant.per_user) add("each user of " + name, *tenant.per_user);
  }
  [[nodiscard]] ScopeLines take() { return std::move(lines_); }

 private:
  ScopeLines lines_;
};

}  // namespace

std::vector<std::string> price_lines(const policies::Tariff& tariff, config::UnknownPrice unknown) {
  std::vector<std::string> lines;
  if (tariff.rows.empty()) lines.emplace_back(unknown_text(unknown));
  if (tariff.estimated) lines.emplace_back("price: unknown; the provider's dearest stands in");
  for (const PriceRow* row : tariff.rows)
    add_row(lines, *row);
  std::string takes;
  if (const auto window = tariff.context_window())
    add(takes, fmt::format("a context of {} tokens", *window));
  if (const auto most = tariff.max_output())
    add(takes, fmt::format("at most {} tokens of output", *most));
  if (!takes.empty()) lines.push_back("takes: " + takes);
  return lines;
}

std::string provider_limit_text(const config::ProviderLimits& limits) {
  config::LimitsConfig same;
  same.requests_per_minute = limits.requests_per_minute;
  same.tokens_per_minute = limits.tokens_per_minute;
  same.concurrent = limits.concurrent;
  const std::string text = limits_text(same);
  if (!limits.adaptive) return text;
  return text.empty() ? "as many at a time as its latency bears"
                      : text + ", fewer at a time where its latency grows";
}

ScopeLines limit_lines(const config::Config& config, const std::string& route,
                       const std::string& tenant) {
  Scopes scopes;
  for (const auto& [name, model] : config.models) {
    if (name != route) continue;
    scopes.add("model " + name, model.limits);
    scopes.add("model " + name, model.budgets);
  }
  for (std::string name = tenant; !name.empty(); name = config.tenants.at(name).parent)
    scopes.add(name, config.tenants.at(name));
  if (tenant.empty()) return scopes.take();
  for (const config::KeyConfig& key : config.tenants.at(tenant).keys) {
    scopes.add("key " + key.id, key.limits);
    scopes.add("key " + key.id, key.budgets);
  }
  return scopes.take();
}

}  // namespace tollgate::app
