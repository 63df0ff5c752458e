// The list of provider codecs: one line each. A codec is a stateless object that its own .cpp keeps
// in a function `<kind>_provider()`, so there is no initialiser magic; the fuzz targets are made
// from the same list. Called through providers() and find_provider() only; any thread.
#pragma once
#include "routing/provider.hpp"

#define TOLLGATE_PROVIDERS(X) \
  X(openai)                   \
  X(anthropic)                \
  X(gemini)                   \
  X(demo)

namespace tollgate::routing {

#define X(kind) [[nodiscard]] const Provider& kind##_provider();
TOLLGATE_PROVIDERS(X)
#undef X

}  // namespace tollgate::routing
