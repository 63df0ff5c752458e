// What tests of keys share.
#pragma once
#include "config/config.hpp"
#include "policies/keys.hpp"

namespace tollgate::policies {

/// Key table and what it refers to.
struct Keys {
  explicit Keys(const config::Config& config) : scopes(config), table(config, scopes) {}
  ScopeTable scopes;
  KeyTable table;
};

}  // namespace tollgate::policies
