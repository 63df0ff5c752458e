#include "routing/providers/registry.hpp"

#include <array>

namespace tollgate::routing {

std::span<const Provider* const> providers() {
  static const std::array all{
      &openai_provider(),
      &anthropic_provider(),
      &gemini_provider(),
      &demo_provider(),
  };
  return all;
}

const Provider* find_provider(std::string_view kind) {
  for (const Provider* provider : providers()) {
    if (provider->kind() == kind) return provider;
  }
  return nullptr;
}

}  // namespace tollgate::routing
