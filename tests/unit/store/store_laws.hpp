// The laws that every store is held to (money.md). A store's test runs all of them over worlds of
// its own make.
#pragma once
#include <span>
#include <string>

#include "world.hpp"

namespace tollgate::store_tests {

struct Law {
  std::string name;  ///< with the rule it stands for
  void (*check)(const MakeWorld& make);
};

[[nodiscard]] std::span<const Law> budget_laws();
[[nodiscard]] std::span<const Law> limit_laws();
/// Random histories, compared with the reference.
[[nodiscard]] std::span<const Law> random_laws();

}  // namespace tollgate::store_tests
