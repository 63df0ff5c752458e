// ScopeTable: where limits and budgets stand, as one plan has them: a scope for each tenant, key
// and model, and for each key the chain of those that must all admit its calls. Built with the
// plan, attached to the store before the plan serves, immutable afterwards. Asked on any worker.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"
#include "gateway/core/store.hpp"

namespace tollgate::policies {

/// The scopes of one key: itself (where it has an id), its tenant, and the tenant's parents
/// upwards.
struct ScopeChain {
  std::vector<const Scope*> scopes;
  bool budget = false;  ///< one of them has a budget with `enforce: true` (M8)
  bool bound = false;   ///< one of those is never to be passed (`reserve: bound`)
};

class ScopeTable {
 public:
  explicit ScopeTable(const config::Config& config);
  ScopeTable(const ScopeTable&) = delete;
  ScopeTable& operator=(const ScopeTable&) = delete;

  [[nodiscard]] const ScopeChain& of_key(std::string_view tenant, std::string_view key_id) const;
  /// `name` is the configured one ("anthropic/*").
  [[nodiscard]] const ScopeChain& of_model(std::string_view name) const;
  /// The chain of a tenant and key by present or former names, as ledger rows have them; empty: no
  /// such tenant any more.
  [[nodiscard]] std::vector<const Scope*> by_any_name(std::string_view tenant,
                                                      std::string_view key_id,
                                                      std::string_view model) const;
  /// For Store::attach, before the plan serves.
  [[nodiscard]] const std::vector<std::unique_ptr<Scope>>& all() const { return scopes_; }

 private:
  using Chains = std::unordered_map<std::string, ScopeChain>;

  Scope& add(Scope scope);
  void add_tenant(const std::string& name, const config::Config& config);
  void add_keys(const std::string& name, const config::TenantConfig& tenant);
  [[nodiscard]] ScopeChain tenant_chain(const std::string& name,
                                        const config::Config& config) const;

  std::vector<std::unique_ptr<Scope>> scopes_;
  std::unordered_map<std::string, const Scope*> tenants_;
  Chains keys_;  // by `key_name`; without an id: the tenant's own
  Chains models_;
  std::unordered_map<std::string, std::string> tenant_now_, key_now_;  // former name -> present one
  ScopeChain none_;
};

}  // namespace tollgate::policies
