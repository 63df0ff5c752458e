// What replies say about limits and budgets in their heads: the scope with the least share left,
// what would have denied, what was cut. Pure; on the call's worker.
#pragma once
#include <string>

#include "policies/spending.hpp"

namespace tollgate::app {

/// Header lines; empty where nothing limits the caller.
[[nodiscard]] std::string limit_fields(const policies::Spending& spending);

}  // namespace tollgate::app
