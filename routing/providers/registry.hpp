// The list of provider codecs. One line here and one in registry.cpp for each; a codec is a
// stateless object that its own .cpp keeps in a function, so there is no initialiser magic.
// Called through providers() and find_provider() only; any thread.
#pragma once
#include "routing/provider.hpp"

namespace tollgate::routing {

[[nodiscard]] const Provider& openai_provider();
[[nodiscard]] const Provider& anthropic_provider();
[[nodiscard]] const Provider& gemini_provider();
[[nodiscard]] const Provider& demo_provider();

}  // namespace tollgate::routing
