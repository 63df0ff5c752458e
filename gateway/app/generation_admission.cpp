// The part of a call that limits and budgets decide: what it reserves, and what a spent budget
// makes of it.
#include "gateway/app/generation.hpp"
#include "gateway/app/limit_fields.hpp"

namespace tollgate::app {

/// Reserves what the first attempt may cost; a budget that is spent may send the call to a cheaper
/// model, once (M10).
Awaitable<Result<void>> Generation::admit(const routing::Match& match) {
  Result<void> reserved;
  auto target = look_at(match);
  if (target) {
    reserved = shortened(co_await spending_.admit(*target));
  } else {
    reserved = std::unexpected(target.error());
  }
  if (!reserved && may_suit_another(reserved.error())) {
    reserved = co_await fall_back(std::move(reserved.error()));
  }
  if (reserved || reserved.error().kind != ErrorKind::budget_exceeded) co_return reserved;
  auto cheaper = downgrade();
  if (!cheaper) co_return reserved;
  home_ = cheaper->route;
  if (cache_) forget_reply();
  run_under(*home_);
  auto again = co_await reserve(*cheaper);
  // What stands between the client and its model is the budget that was exceeded first.
  if (!again) co_return reserved;
  at_most_ = spending_.bound();
  co_return again;
}

policies::SpendingTerms Generation::terms(const routing::Route& route) const {
  const policies::Key& key = *run_.key;
  return {.tariffs = run_.plan->tariffs,
          .unknown = run_.plan->config.prices.unknown,
          .key = key,
          .model = &run_.plan->scopes.of_model(route.name),
          .clip_min_tokens = key.tenant->clip_min_tokens};
}

/// Where the call would go under that model, and what is sent there.
Result<AttemptTarget> Generation::look_at(const routing::Match& match) {
  spending_.consider(terms(*match.route), *view_);
  auto started = start_forwarder(match);
  if (!started) return std::unexpected(started.error());
  return forwarder_->preview();
}

Awaitable<Result<void>> Generation::reserve(const routing::Match& match) {
  auto target = look_at(match);
  if (!target) co_return std::unexpected(target.error());
  co_return shortened(co_await spending_.admit(*target));
}

/// What was admitted as asked for, or shorter: then what is sent says so.
Result<void> Generation::shortened(const Result<bool>& admitted) {
  if (!admitted) return std::unexpected(admitted.error());
  if (!*admitted) return {};
  auto shorter = forwarder_->preview();
  if (!shorter) return std::unexpected(shorter.error());
  return {};
}

/// The model that the tenant of the exceeded scope (else the call's own) names for this case, if
/// the key may use it.
Result<routing::Match> Generation::downgrade() const {
  const auto& denial = spending_.denial();
  const policies::Tenant* own = run_.key->tenant;
  const std::string* model = &own->downgrade;
  for (const policies::Tenant* tenant = own; denial && tenant != nullptr; tenant = tenant->parent) {
    const Scope* exceeded = denial->of;
    if (exceeded != nullptr && exceeded->tenant == tenant->name && !tenant->downgrade.empty())
      model = &tenant->downgrade;
  }
  if (model->empty() || !policies::may_use(*run_.key, *model)) {
    return fail(ErrorKind::model_not_found, "There is no model to downgrade to.");
  }
  const auto match = run_.plan->routes.find(*model);
  if (!match || match->route == route_) {
    return fail(ErrorKind::model_not_found, "There is no model to downgrade to.");
  }
  return *match;
}

/// What every reply says about the caller's limits.
void Generation::note_room() { run_.limit_fields = limit_fields(spending_); }

}  // namespace tollgate::app
