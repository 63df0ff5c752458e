// Account names: under which a scope's balances are kept, and were kept before it or its tenant was
// renamed (money.md M17). Pure; asked by both stores when a plan is built.
#pragma once
#include <string>
#include <tuple>
#include <vector>

#include "gateway/core/store.hpp"

namespace tollgate::policies {

/// Kind, tenant (empty where the scope is one), name.
using AccountName = std::tuple<ScopeKind, std::string, std::string>;

/// The present one first, then whatever it may have been.
[[nodiscard]] inline std::vector<AccountName> account_names(const Scope& scope) {
  std::vector<std::string> tenants{scope.tenant}, names{scope.name};
  tenants.insert(tenants.end(), scope.former_tenants.begin(), scope.former_tenants.end());
  names.insert(names.end(), scope.formerly.begin(), scope.formerly.end());
  std::vector<AccountName> all;
  for (const std::string& tenant : tenants) {
    for (const std::string& name : names)
      all.emplace_back(scope.kind, scope.kind == ScopeKind::tenant ? "" : tenant, name);
  }
  return all;
}

}  // namespace tollgate::policies
