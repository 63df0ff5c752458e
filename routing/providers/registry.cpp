#include "routing/providers/registry.hpp"

#include <array>

namespace tollgate::routing {

std::span<const Provider* const> providers() {
#define X(kind) &kind##_provider(),
  static const std::array all{TOLLGATE_PROVIDERS(X)};
#undef X
  return all;
}

const Provider* find_provider(std::string_view kind) {
  for (const Provider* provider : providers()) {
    if (provider->kind() == kind) return provider;
  }
  return nullptr;
}

}  // namespace tollgate::routing
