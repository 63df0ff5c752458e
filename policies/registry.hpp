// The one ordered list of policies. A new policy is a .cpp beside this file, a line here, and a
// line with its reason in registry.cpp.
#pragma once
#include "config/config.hpp"
#include "policies/policy.hpp"

namespace tollgate::policies {

[[nodiscard]] std::unique_ptr<Policy> model_access();

/// Every policy that `config` asks for, in the order in which they are asked.
[[nodiscard]] PolicyList make_policies(const config::Config& config);

}  // namespace tollgate::policies
