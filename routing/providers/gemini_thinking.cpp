// How much a model may think. Every generation has its own control, and giving a model another's
// is a 400; what thinks counts against maxOutputTokens.
#include <algorithm>
#include <array>
#include <optional>

#include "gateway/wire/json_shape.hpp"
#include "routing/providers/gemini_request.hpp"

namespace tollgate::routing::gemini {
namespace {

struct Effort {
  std::string_view name;
  std::int64_t budget;
  std::string_view level;  ///< for models that know all four
};
constexpr std::array efforts{Effort{"none", 0, "MINIMAL"},  Effort{"minimal", 1024, "MINIMAL"},
                             Effort{"low", 1024, "LOW"},    Effort{"medium", 8192, "MEDIUM"},
                             Effort{"high", 24576, "HIGH"}, Effort{"xhigh", 24576, "HIGH"},
                             Effort{"max", 24576, "HIGH"}};

const Effort* effort_named(std::string_view name) {
  const auto found = std::ranges::find(efforts, name, &Effort::name);
  return found == efforts.end() ? nullptr : &*found;
}

/// Anthropic's `thinking` as an effort: the first whose budget covers it.
const Effort* effort_of_thinking(std::string_view thinking_json, std::int64_t& budget) {
  const auto shape = wire::JsonShape::read(thinking_json);
  if (!shape) return nullptr;
  const wire::JsonField* type = shape->find("type");
  if (type && type->value == "\"disabled\"") return effort_named("none");
  const wire::JsonField* tokens = shape->find("budget_tokens");
  const auto asked = tokens ? wire::json_int(tokens->value) : std::nullopt;
  if (!asked || *asked <= 0) return nullptr;
  budget = *asked;
  const auto covers = [&](const Effort& effort) { return effort.budget >= *asked; };
  const auto found = std::ranges::find_if(efforts, covers);
  return found == efforts.end() ? effort_named("high") : &*found;
}

/// Pro models know LOW and HIGH only.
std::string_view level_for(const Effort& effort, const ModelTraits& traits) {
  if (traits.middle_levels) return effort.level;
  return effort.level == "MINIMAL" || effort.level == "LOW" ? "LOW" : "HIGH";
}

/// The budget that is sent, or nothing when the limit leaves no room for thinking: then the model
/// thinks as little as it can. A quarter of the limit stays for the answer.
std::optional<std::int64_t> fitting_budget(std::int64_t budget, const Draft& draft) {
  const ModelTraits& traits = draft.traits;
  budget = std::min<std::int64_t>(budget, traits.budget_max);
  if (const auto limit = draft.request.max_tokens) budget = std::min(budget, *limit / 4 * 3);
  if (budget < traits.budget_min) return std::nullopt;
  return budget;
}

void write_budget(Draft& draft, std::int64_t budget, std::string_view field) {
  const std::int64_t least = draft.traits.can_stop_thinking ? 0 : draft.traits.budget_min;
  const bool off = budget == 0;
  const auto fits = off ? std::optional(least) : fitting_budget(budget, draft);
  if (!fits) draft.drop(field);
  draft.json.member("thinkingBudget", fits.value_or(least));
  if (!off && fits) draft.json.member("includeThoughts", true);
}

}  // namespace

void write_thinking(Draft& draft) {
  const ChatRequest& request = draft.request;
  const bool by_effort = !request.reasoning_effort.empty();
  if (!by_effort && request.thinking_json.empty()) return;
  const std::string_view field = by_effort ? "reasoning_effort" : "thinking";
  std::int64_t budget = -1;
  const Effort* effort = by_effort ? effort_named(request.reasoning_effort)
                                   : effort_of_thinking(request.thinking_json, budget);
  // What does not think at all has honoured `none`.
  if (draft.traits.thinking == Thinking::none && effort && effort->budget == 0) return;
  if (!effort || draft.traits.thinking == Thinking::none) {
    draft.drop(field);
    return;
  }
  draft.json.key("thinkingConfig").begin_object();
  if (draft.traits.thinking == Thinking::budget) {
    write_budget(draft, budget >= 0 ? budget : effort->budget, field);
  } else {
    draft.json.member("thinkingLevel", level_for(*effort, draft.traits));
    if (effort->budget != 0) draft.json.member("includeThoughts", true);
  }
  draft.json.end_object();
}

}  // namespace tollgate::routing::gemini
