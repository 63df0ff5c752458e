// Scopes of a plan: what holds for the users of a tenant whose parents limit users too.
#include "policies/scopes.hpp"

#include <doctest/doctest.h>

namespace tollgate::policies {
namespace {

using Limits = std::optional<config::LimitsConfig>;

config::LimitsConfig limits(std::uint64_t requests, std::optional<std::uint64_t> tokens = {}) {
  config::LimitsConfig made;
  made.requests_per_minute = requests;
  made.tokens_per_minute = tokens;
  return made;
}

config::LimitsConfig counting(config::LimitsConfig made) {
  made.enforce = false;
  return made;
}

/// The rule that the store takes for users of `leaf`, under `middle`, under `root`: the first one.
std::optional<LimitRule> of_users(const Limits& leaf, const Limits& middle, const Limits& root) {
  config::Config config;
  config.tenants["leaf"].per_user = leaf;
  config.tenants["leaf"].parent = "middle";
  config.tenants["middle"].per_user = middle;
  config.tenants["middle"].parent = "root";
  config.tenants["root"].per_user = root;
  const ScopeTable table(config);
  for (const Scope* scope : table.of_key("leaf", "").scopes) {
    if (scope->per_user) return scope->per_user;
  }
  return std::nullopt;
}

TEST_CASE("M14: a parent's per_user holds beside the tenant's own") {
  const auto both = of_users(limits(20), limits(30, 500), limits(10));
  REQUIRE(both);
  CHECK(both->requests_per_minute == 10);
  CHECK(both->tokens_per_minute == 500);
  CHECK(of_users(limits(5), limits(30), {})->requests_per_minute == 5);
  CHECK(of_users({}, limits(30), limits(10))->requests_per_minute == 10);
  CHECK_FALSE(of_users({}, {}, {}));
}

TEST_CASE("M18: a per_user that only counts weakens none that denies") {
  const auto above = of_users(counting(limits(5)), {}, limits(10));
  REQUIRE(above);
  CHECK((above->enforce && above->requests_per_minute == 10));
  const auto own = of_users(limits(10), counting(limits(5)), {});
  REQUIRE(own);
  CHECK((own->enforce && own->requests_per_minute == 10));
  CHECK_FALSE(of_users(counting(limits(5)), {}, {})->enforce);
}

}  // namespace
}  // namespace tollgate::policies
