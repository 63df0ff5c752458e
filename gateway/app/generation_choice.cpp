// The part of a call that decides where it goes: its model's targets in order, and the loop that
// tries them.
#include <algorithm>
#include <limits>

#include "gateway/app/affinity.hpp"
#include "gateway/app/generation.hpp"
#include "routing/health_watch.hpp"

namespace tollgate::app {

namespace {

constexpr std::uint64_t bytes_per_token = 4, usual_output = 500;

bool counts_tokens(const routing::Route& route) {
  return std::ranges::any_of(route.targets, [](const routing::Target& target) {
    return target.provider->tokens_per_minute > 0;
  });
}

}  // namespace

Result<routing::Match> Generation::choose(std::string_view model) {
  const auto match = run_.plan->routes.find(model);
  if (!match) {
    return fail(
        ErrorKind::model_not_found,
        "The model '" + std::string(model) + "' does not exist or you do not have access to it.",
        "model");
  }
  home_ = match->route;
  run_under(*home_);
  auto allowed = route_->timeout;
  if (run_.timeout) allowed = std::min(allowed, *run_.timeout);
  call_.deadline = call_.started + allowed;
  return *match;
}

void Generation::run_under(const routing::Route& route) {
  // What was sent under the model that is left stays that model's (M14).
  for (AttemptOutcome& attempt : call_.outcome.attempts) {
    if (attempt.model.empty()) attempt.model = call_.outcome.model;
  }
  route_ = &route;
  call_.outcome.model = route.name;
  view_->set_defaults(&route.defaults);
}

/// What it may use, by the rule of thumb; for comparing and for the providers' own limits only.
std::uint64_t Generation::tokens_in() const { return view_->body.size() / bytes_per_token; }
std::uint64_t Generation::tokens_out() const {
  const auto limit = view_->output_limit();
  return limit ? static_cast<std::uint64_t>(std::max<std::int64_t>(*limit, 0)) : usual_output;
}

/// What this call would cost there, by the usual rates; for comparing only.
double Generation::price_at(const routing::ProviderEntry& provider, std::string_view model) const {
  const policies::Tariff tariff = run_.plan->tariffs.find({.tenant = run_.key->tenant->name,
                                                           .provider = provider.name,
                                                           .kind = provider.kind,
                                                           .model = model,
                                                           .when = call_.outcome.started_at});
  if (!tariff.known()) return std::numeric_limits<double>::infinity();
  const config::PriceRow& row = *tariff.rows.front();
  const config::Rates rates = row.rates_for(tokens_in());
  return static_cast<double>(tokens_in()) * static_cast<double>(rates.input.value_or(0)) +
         static_cast<double>(tokens_out()) * static_cast<double>(rates.output.value_or(0)) +
         1e6 * static_cast<double>(row.request.value_or(0));
}

routing::ChoiceFacts Generation::choice_facts(const routing::Route& route) const {
  routing::ChoiceFacts facts;
  facts.now = call_.look();
  if (counts_tokens(route)) facts.tokens = tokens_in() + tokens_out();
  facts.random = services_.ids.random();
  facts.own_keys = &run_.key->tenant->provider_keys;
  if (route.affinity) {
    facts.affinity = affinity_of(*view_, *route.affinity, run_.key->tenant->name);
  }
  if (route.strategy == config::Strategy::cheapest) {
    facts.price = [this](const routing::ProviderEntry& provider, std::string_view model) {
      return price_at(provider, model);
    };
  }
  return facts;
}

Result<void> Generation::start_forwarder(const routing::Match& match) {
  const routing::ChoiceFacts facts = choice_facts(*match.route);
  routing::Choice choice = routing::choose_targets(match, facts);
  if (choice.targets.empty()) {
    return std::unexpected(routing::resting_error(choice.rest, facts.now));
  }
  routing::RetryRules retry = route_->retry;
  retry.attempts = std::min(retry.attempts, attempts_left());
  AbortSlot* const slot = expect_hedge(*match.route);
  const bool continues = expect_continuation(match);
  routing::ForwardPlan plan{.view = *view_,
                            .targets = std::move(choice.targets),
                            .retry = retry,
                            .elsewhere = fallbacks_tried_ < home_->fallback.size(),
                            .refuse_unsupported = route_->refuse_unsupported,
                            .full_events = continues || (cache_ && cache_->records()),
                            .own_keys = facts.own_keys,
                            .tokens = facts.tokens,
                            .slot = slot};
  queue_turn_.reset();
  queue_joined_ = false;
  forwarder_ = &own_forwarder_.emplace(call_, std::move(plan), services_.upstream, gate_);
  if (choice.full) join_queue();
  return {};
}

}  // namespace tollgate::app
