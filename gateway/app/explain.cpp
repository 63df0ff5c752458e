#include "gateway/app/explain.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <vector>

#include "config/load.hpp"
#include "config/values.hpp"
#include "gateway/app/explain_money.hpp"
#include "gateway/app/explain_state.hpp"
#include "policies/money/tariff.hpp"
#include "routing/provider.hpp"

namespace tollgate::app {
namespace {

using config::ModelConfig;
using Named = std::pair<std::string, ModelConfig>;

// As the route table does: the exact name, else the longest wildcard.
const Named* find_model(const config::Config& config, const std::string& asked) {
  const Named* best = nullptr;
  for (const Named& entry : config.models) {
    if (entry.first == asked) return &entry;
    const bool wildcard = entry.first.ends_with('*');
    if (!wildcard || !config::matches(entry.first, asked)) continue;
    if (best == nullptr || entry.first.size() > best->first.size()) best = &entry;
  }
  return best;
}

template <class Entries>
Explanation unknown(std::string_view what, const std::string& name, const Entries& entries) {
  std::vector<std::string_view> names;
  for (const auto& entry : entries)
    names.emplace_back(entry.first);
  Explanation out;
  out.text = fmt::format("unknown {} \"{}\"", what, name);
  const std::string_view near = config::suggest(name, names);
  if (!near.empty()) out.text += fmt::format(" (did you mean \"{}\"?)", near);
  out.text += '\n';
  return out;
}

bool allowed(const std::optional<std::vector<std::string>>& patterns, const std::string& model) {
  return !patterns || std::any_of(patterns->begin(), patterns->end(), [&](const auto& pattern) {
    return config::matches(pattern, model);
  });
}

std::string tenant_line(const std::string& name, const config::TenantConfig& tenant,
                        const std::string& model) {
  if (!allowed(tenant.models, model)) {
    return fmt::format("{}: may not use it (403 model_not_allowed)", name);
  }
  const auto narrowed = std::count_if(tenant.keys.begin(), tenant.keys.end(),
                                      [&](const auto& key) { return !allowed(key.models, model); });
  std::string line = name + ": may use it";
  if (narrowed > 0) {
    line += fmt::format(", but not with {} of its {} keys", narrowed, tenant.keys.size());
  }
  return line;
}

std::string upstream_model(const config::TargetConfig& target, std::string_view route,
                           const std::string& asked) {
  if (target.model != "*") return target.model;
  return asked.substr(route.size() - 1);  // what the wildcard matched
}

std::string base_url(const config::ProviderConfig& provider) {
  if (!provider.base_url.empty()) return provider.base_url;
  const routing::Provider* codec = routing::find_provider(provider.kind);
  return codec == nullptr ? "" : std::string(codec->default_base_url());
}

std::string_view strategy_text(config::Strategy strategy) {
  switch (strategy) {
    case config::Strategy::ordered:
      return "ordered";
    case config::Strategy::weighted:
      return "weighted";
    case config::Strategy::least_latency:
      return "least_latency: the faster one of two to the first token, drawn by lot";
    case config::Strategy::least_busy:
      return "least_busy: the one with the fewest calls in flight";
    case config::Strategy::cheapest:
      return "cheapest: by the price of the call";
  }
  return "";
}

std::string strategy_text(const ModelConfig& model) {
  std::string text(strategy_text(model.strategy));
  if (!model.affinity) return text;
  return text + (*model.affinity == config::Affinity::user
                     ? "; calls of one user stay at one target"
                     : "; conversations stay at one target");
}

class Text {
 public:
  Text(const config::Config& config, const ExplainQuestion& question, const Named& entry)
      : config_(config), question_(question), route_(entry.first), model_(entry.second) {}

  std::string write() {
    line("model", route_ == question_.model
                      ? question_.model
                      : fmt::format("{} (matched by \"{}\")", question_.model, route_));
    if (!question_.tenant.empty()) {
      const auto& tenant = config_.tenants.at(question_.tenant);
      line("tenant", tenant_line(question_.tenant, tenant, question_.model));
    }
    rules();
    targets();
    limits();
    if (!question_.silence.empty())
      line("now", "no gateway of this file answers: " + question_.silence);
    return std::move(out_);
  }

 private:
  void line(std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(out_), "{:<10} {}\n", name, value);
  }

  void rules() {
    line("strategy", strategy_text(model_));
    line("timeout",
         fmt::format("{} for the whole call; 200 is held back up to {}",
                     config::to_text(model_.timeout), config::to_text(model_.hold_back)));
    line("attempts", fmt::format("{} over its targets, {} for a call", model_.retry.attempts,
                                 model_.max_attempts));
    const config::BreakerConfig& breaker = model_.breaker;
    line("breaker",
         fmt::format("opens after {} failures in a row, or when {} of at least 20 calls within {} "
                     "fail; for {}, then twice as long up to {}; slow start {}",
                     breaker.failures, config::to_text(breaker.error_rate),
                     config::to_text(breaker.window), config::to_text(breaker.open_for),
                     config::to_text(breaker.max_open_for), config::to_text(breaker.slow_start)));
    if (model_.queue) {
      line("queue", fmt::format("while every target is at its limit up to {} calls wait, each up "
                                "to {}",
                                model_.queue->max, config::to_text(model_.queue->wait)));
    }
    if (model_.hedge) {
      line("hedge", fmt::format("asks a second target after {}, for {} of its calls at most",
                                config::to_text(model_.hedge->after),
                                config::to_text(model_.hedge->max_share)));
    }
    if (model_.continue_streams) {
      line("streams", "one that dies goes on at the next target");
    }
    for (const std::string& other : model_.fallback)
      line("fallback", fmt::format("{}{}", other, may_use_it(other)));
    for (const std::string& other : model_.context_window_fallback)
      line("too long", fmt::format("{}{}", other, may_use_it(other)));
    for (const auto& [name, json] : model_.defaults) {
      line("default", fmt::format("{}: {}", name, json));
    }
  }

  [[nodiscard]] std::string_view may_use_it(const std::string& other) const {
    if (question_.tenant.empty()) return "";
    return allowed(config_.tenants.at(question_.tenant).models, other)
               ? ""
               : " (skipped: this tenant may not use it)";
  }

  void targets() {
    std::uint64_t weights = 0;
    for (const auto& target : model_.targets)
      weights += usable(target) ? target.weight : 0;
    line("targets", weights == 0 ? "none is switched on: calls get 404 model_not_found"
                                 : fmt::format("{}", model_.targets.size()));
    std::size_t number = 0;
    for (const auto& target : model_.targets)
      one_target(++number, target, weights);
  }

  void one_target(std::size_t number, const config::TargetConfig& target, std::uint64_t weights) {
    const auto& provider = config_.providers.at(target.provider);
    fmt::format_to(std::back_inserter(out_), "  {}. {} (kind {}), model {}, {}", number,
                   target.provider, provider.kind, upstream_model(target, route_, question_.model),
                   base_url(provider));
    if (!usable(target)) {
      out_ += ", skipped: the provider is disabled, its key being empty";
    } else if (model_.strategy == config::Strategy::weighted) {
      fmt::format_to(std::back_inserter(out_), ", weight {} ({:.1f} % of calls)", target.weight,
                     100.0 * target.weight / static_cast<double>(weights));
    } else {
      fmt::format_to(std::back_inserter(out_), ", weight {}", target.weight);
    }
    const auto& timeouts = provider.timeouts;
    fmt::format_to(std::back_inserter(out_),
                   "\n     timeouts: connect {}, first byte {}, idle {}\n",
                   config::to_text(timeouts.connect), config::to_text(timeouts.first_byte),
                   config::to_text(timeouts.idle));
    details(target, provider);
  }

  void details(const config::TargetConfig& target, const config::ProviderConfig& provider) {
    const std::string model = upstream_model(target, route_, question_.model);
    const policies::Tariff tariff = tariffs_.find({.tenant = question_.tenant,
                                                   .provider = target.provider,
                                                   .kind = provider.kind,
                                                   .model = model,
                                                   .when = question_.now});
    std::vector<std::string> lines = price_lines(tariff, config_.prices.unknown);
    const std::string allows =
        provider.limits ? provider_limit_text(*provider.limits) : std::string();
    if (!allows.empty()) lines.push_back("limits: " + allows);
    for (std::string& text : state_lines(question_.targets, route_, target.provider, model))
      lines.push_back(std::move(text));
    for (const std::string& text : lines)
      fmt::format_to(std::back_inserter(out_), "     {}\n", text);
  }

  void limits() {
    const ScopeLines lines = limit_lines(config_, std::string(route_), question_.tenant);
    if (lines.empty()) line("limits", "none");
    for (const auto& [scope, text] : lines)
      line("limits", fmt::format("{}: {}", scope, text));
  }

  [[nodiscard]] bool usable(const config::TargetConfig& target) const {
    return !config_.providers.at(target.provider).disabled;
  }

  const config::Config& config_;
  const policies::Tariffs tariffs_{config_};
  const ExplainQuestion& question_;
  std::string_view route_;
  const ModelConfig& model_;
  std::string out_;
};

}  // namespace

Explanation explain(const config::Config& config, const ExplainQuestion& question) {
  const Named* model = find_model(config, question.model);
  if (model == nullptr) return unknown("model", question.model, config.models);
  if (!question.tenant.empty() && !config.tenants.contains(question.tenant)) {
    return unknown("tenant", question.tenant, config.tenants);
  }
  return {.found = true, .text = Text(config, question, *model).write()};
}

}  // namespace tollgate::app
