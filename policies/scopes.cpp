#include "policies/scopes.hpp"

#include <algorithm>

namespace tollgate::policies {
namespace {

constexpr std::string_view default_tenant = "default";

/// Names may hold anything but a line break.
std::string key_name(std::string_view tenant, std::string_view id) {
  return std::string(tenant) + "\n" + std::string(id);
}

LimitRule rule_of(const config::LimitsConfig& from) {
  LimitRule rule;
  rule.requests_per_minute = from.requests_per_minute.value_or(0);
  rule.tokens_per_minute = from.tokens_per_minute.value_or(0);
  rule.concurrent = from.concurrent.value_or(0);
  rule.burst = from.burst.value_or(rule.burst);
  rule.enforce = from.enforce.value_or(true);
  return rule;
}

BudgetRule rule_of(const config::BudgetConfig& from) {
  BudgetRule rule{.ceiling = from.usd.nano,
                  .per = static_cast<Per>(from.per),
                  .since = from.since,
                  .warn_permille = {},
                  .webhook = from.webhook,
                  .estimate = from.reserve == config::BudgetReserve::estimate,
                  .enforce = from.enforce};
  for (const config::Share share : from.warn_at)
    rule.warn_permille.push_back(share.permille);
  std::ranges::sort(rule.warn_permille);
  return rule;
}

std::vector<BudgetRule> rules_of(const std::vector<config::BudgetConfig>& from) {
  std::vector<BudgetRule> rules;
  for (const config::BudgetConfig& budget : from)
    rules.push_back(rule_of(budget));
  return rules;
}

void note_budgets(ScopeChain& chain, const Scope& scope) {
  for (const BudgetRule& budget : scope.budgets) {
    chain.budget = chain.budget || budget.enforce;
    chain.bound = chain.bound || (budget.enforce && !budget.estimate);
  }
}

void append(ScopeChain& chain, const Scope& scope) {
  chain.scopes.push_back(&scope);
  note_budgets(chain, scope);
}

std::string root_of(const std::string& name, const config::Config& config) {
  std::string root = name;
  for (auto at = config.tenants.find(root);
       at != config.tenants.end() && !at->second.parent.empty(); at = config.tenants.find(root))
    root = at->second.parent;
  return root;
}

/// 0 is no limit.
template <class Number>
Number smaller(Number one, Number other) {
  return one == 0 || other == 0 ? std::max(one, other) : std::min(one, other);
}

/// What holds for each user of a tenant that limits them: a user has one bucket, so where parents
/// limit users too it takes the smallest of each figure. nullopt: a parent's own bucket is to hold.
std::optional<LimitRule> user_rule(const std::string& name, const config::Config& config) {
  const config::TenantConfig* tenant = &config.tenants.at(name);
  if (!tenant->per_user) return std::nullopt;
  LimitRule rule = rule_of(*tenant->per_user);
  for (;;) {
    const auto parent = config.tenants.find(tenant->parent);
    if (parent == config.tenants.end()) return rule;
    tenant = &parent->second;
    if (!tenant->per_user) continue;
    const LimitRule above = rule_of(*tenant->per_user);
    // What only counts may not weaken what denies.
    if (above.enforce && !rule.enforce) return std::nullopt;
    if (above.enforce != rule.enforce) continue;
    rule.requests_per_minute = smaller(rule.requests_per_minute, above.requests_per_minute);
    rule.tokens_per_minute = smaller(rule.tokens_per_minute, above.tokens_per_minute);
    rule.concurrent = smaller(rule.concurrent, above.concurrent);
    rule.burst = std::min(rule.burst, above.burst);
  }
}

}  // namespace

ScopeTable::ScopeTable(const config::Config& config) {
  for (const auto& [name, tenant] : config.tenants)
    add_tenant(name, config);
  if (config.tenants.empty()) {
    const std::string name(default_tenant);
    tenants_[name] = &add({.kind = ScopeKind::tenant,
                           .name = name,
                           .tenant = name,
                           .root = name,
                           .formerly = {},
                           .former_tenants = {},
                           .limits = {},
                           .per_user = {},
                           .budgets = {},
                           .account = {}});
  }
  for (const auto& [name, scope] : tenants_)
    keys_[key_name(name, "")] = tenant_chain(name, config);
  for (const auto& [name, tenant] : config.tenants)
    add_keys(name, tenant);
  for (const auto& [name, model] : config.models) {
    const Scope& scope = add({.kind = ScopeKind::model,
                              .name = name,
                              .tenant = {},
                              .root = {},
                              .formerly = {},
                              .former_tenants = {},
                              .limits = rule_of(model.limits),
                              .per_user = {},
                              .budgets = rules_of(model.budgets),
                              .account = {}});
    append(models_[name], scope);
  }
}

Scope& ScopeTable::add(Scope scope) {
  return *scopes_.emplace_back(std::make_unique<Scope>(std::move(scope)));
}

void ScopeTable::add_tenant(const std::string& name, const config::Config& config) {
  const config::TenantConfig& tenant = config.tenants.at(name);
  Scope scope{.kind = ScopeKind::tenant,
              .name = name,
              .tenant = name,
              .root = root_of(name, config),
              .formerly = tenant.formerly,
              .former_tenants = {},
              .limits = rule_of(tenant.limits.value_or(config::LimitsConfig{})),
              .per_user = user_rule(name, config),
              .budgets = rules_of(tenant.budgets),
              .account = {}};
  tenants_[name] = &add(std::move(scope));
  for (const std::string& before : tenant.formerly)
    tenant_now_[before] = name;
}

ScopeChain ScopeTable::tenant_chain(const std::string& name, const config::Config& config) const {
  ScopeChain chain;
  std::string at = name;
  while (!at.empty()) {
    append(chain, *tenants_.at(at));
    const auto tenant = config.tenants.find(at);
    at = tenant == config.tenants.end() ? std::string() : tenant->second.parent;
  }
  return chain;
}

void ScopeTable::add_keys(const std::string& name, const config::TenantConfig& tenant) {
  const ScopeChain& above = keys_.at(key_name(name, ""));
  for (const config::KeyConfig& key : tenant.keys) {
    const Scope& scope = add({.kind = ScopeKind::key,
                              .name = key.id,
                              .tenant = name,
                              .root = tenants_.at(name)->root,
                              .formerly = key.formerly,
                              .former_tenants = tenant.formerly,
                              .limits = rule_of(key.limits),
                              .per_user = {},
                              .budgets = rules_of(key.budgets),
                              .account = {}});
    ScopeChain chain;
    append(chain, scope);
    for (const Scope* parent : above.scopes)
      append(chain, *parent);
    keys_[key_name(name, key.id)] = std::move(chain);
    for (const std::string& before : key.formerly)
      key_now_[key_name(name, before)] = key.id;
  }
}

const ScopeChain& ScopeTable::of_key(std::string_view tenant, std::string_view key_id) const {
  const auto found = keys_.find(key_name(tenant, key_id));
  return found == keys_.end() ? none_ : found->second;
}

const ScopeChain& ScopeTable::of_model(std::string_view name) const {
  const auto found = models_.find(std::string(name));
  return found == models_.end() ? none_ : found->second;
}

std::vector<const Scope*> ScopeTable::by_any_name(std::string_view tenant, std::string_view key_id,
                                                  std::string_view model) const {
  std::string name(tenant), id(key_id);
  if (!tenants_.contains(name)) {
    const auto now = tenant_now_.find(name);
    if (now != tenant_now_.end()) name = now->second;
  }
  if (!keys_.contains(key_name(name, id))) {
    const auto now = key_now_.find(key_name(name, id));
    if (now != key_now_.end()) id = now->second;
  }
  auto chain = keys_.find(key_name(name, id));
  if (chain == keys_.end()) chain = keys_.find(key_name(name, ""));
  std::vector<const Scope*> scopes;
  if (chain != keys_.end()) scopes = chain->second.scopes;
  const ScopeChain& of = of_model(model);
  scopes.insert(scopes.end(), of.scopes.begin(), of.scopes.end());
  return scopes;
}

}  // namespace tollgate::policies
