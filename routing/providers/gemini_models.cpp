#include "routing/providers/gemini_models.hpp"

#include <array>

namespace tollgate::routing::gemini {
namespace {

constexpr ModelTraits gemma{.system_instruction = false};
constexpr ModelTraits plain{};
constexpr ModelTraits plain_25{.json_schema = true};
constexpr ModelTraits pro_25{
    .thinking = Thinking::budget, .budget_min = 128, .budget_max = 32768, .json_schema = true};
constexpr ModelTraits flash_25{.thinking = Thinking::budget,
                               .budget_min = 1,
                               .budget_max = 24576,
                               .can_stop_thinking = true,
                               .json_schema = true};
constexpr ModelTraits lite_25{.thinking = Thinking::budget,
                              .budget_min = 512,
                              .budget_max = 24576,
                              .can_stop_thinking = true,
                              .json_schema = true};
constexpr ModelTraits plain_3{
    .json_schema = true, .tools_with_json = true, .call_ids = true, .needs_signatures = true};
constexpr ModelTraits pro_3{.thinking = Thinking::level,
                            .json_schema = true,
                            .tools_with_json = true,
                            .call_ids = true,
                            .needs_signatures = true};
constexpr ModelTraits flash_3{.thinking = Thinking::level,
                              .can_stop_thinking = true,
                              .middle_levels = true,
                              .json_schema = true,
                              .tools_with_json = true,
                              .call_ids = true,
                              .needs_signatures = true};

struct Row {
  std::string_view prefix, holds;  ///< the name starts with the one and holds the other
  const ModelTraits& traits;
};

/// First match wins. Image and speech models of a generation do not think.
constexpr std::array rows{
    Row{"gemma", "", gemma},
    Row{"gemini-1", "", plain},
    Row{"gemini-2.0", "", plain},
    Row{"gemini-2.5", "-image", plain_25},
    Row{"gemini-2.5", "-tts", plain_25},
    Row{"gemini-2.5", "-lite", lite_25},
    Row{"gemini-2.5", "-pro", pro_25},
    Row{"gemini-2.5", "", flash_25},
    Row{"gemini-", "-image", plain_3},
    Row{"gemini-", "-tts", plain_3},
    Row{"gemini-", "-pro", pro_3},
    Row{"gemini-", "", flash_3},
    Row{"", "", plain},
};

}  // namespace

const ModelTraits& traits_of(std::string_view model) {
  for (const Row& row : rows) {
    if (model.starts_with(row.prefix) && model.find(row.holds) != std::string_view::npos) {
      return row.traits;
    }
  }
  return plain;
}

}  // namespace tollgate::routing::gemini
