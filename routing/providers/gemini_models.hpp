// What the Gemini models can and cannot do, as one table: the only place that reads a model's name.
// Read by the encode; immutable, any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace tollgate::routing::gemini {

/// How a model's thinking is steered; giving it both ways is a 400.
enum class Thinking : std::uint8_t { none, budget, level };

struct ModelTraits {
  Thinking thinking = Thinking::none;
  std::int32_t budget_min = 0;  ///< smallest budget that still thinks
  std::int32_t budget_max = 0;
  bool can_stop_thinking = false;  ///< budget 0, or level MINIMAL
  bool middle_levels = false;      ///< knows MINIMAL and MEDIUM beside LOW and HIGH
  bool json_schema = false;        ///< parametersJsonSchema, responseJsonSchema
  bool tools_with_json = false;    ///< tools and a JSON response type in one request
  bool call_ids = false;           ///< matches calls and results by id
  bool needs_signatures = false;   ///< calls of the current turn must carry a thoughtSignature
  bool system_instruction = true;
};

/// Traits of a model by its name without `models/`. Unknown `gemini-` names (`...-latest`, later
/// generations) count as the newest; other names (Gemma, tuned models) as the simplest.
[[nodiscard]] const ModelTraits& traits_of(std::string_view model);

}  // namespace tollgate::routing::gemini
