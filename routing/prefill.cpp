#include "routing/prefill.hpp"

#include "routing/providers/anthropic_models.hpp"

namespace tollgate::routing {

/// OpenAI's own models answer anew behind such a message, and what is compatible with them does
/// one or the other; of Gemini nothing is promised.
bool takes_prefill(std::string_view kind, std::string_view model) {
  if (kind == "anthropic") return anthropic::model_traits(model).prefill;
  return kind == "demo";
}

}  // namespace tollgate::routing
