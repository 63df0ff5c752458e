// Tools, the choice among them, and the forced tool that stands for structured output on models
// without it.
#include <algorithm>

#include "gateway/core/tool_uses.hpp"
#include "gateway/wire/json_view.hpp"
#include "gateway/wire/json_writer.hpp"
#include "routing/providers/anthropic_request.hpp"

namespace tollgate::routing::anthropic {
namespace {

using wire::JsonWriter;
using Mode = ToolChoice::Mode;

/// Anthropic's own tools carry their date ("web_search_20250305"); they go through as they are.
bool is_native(std::string_view type) {
  constexpr std::size_t date = 9;
  if (type.size() <= date) return false;
  const std::string_view tail = type.substr(type.size() - date);
  return tail.front() == '_' && tail.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

Result<Block> native_tool(const Tool& tool, const std::string& where, bool limit_uses) {
  const wire::JsonView json(tool.raw_json);
  const std::string type = json["type"].string();
  if (limit_uses && takes_max_uses(type) && json["max_uses"].text().empty()) {
    std::string limited(tool.raw_json);
    limited.insert(limited.rfind('}'), ",\"max_uses\":" + std::to_string(usual_tool_uses));
    return Block::of_json(std::move(limited));
  }
  if (is_native(type)) return Block::of_json(tool.raw_json);
  return fail(ErrorKind::unsupported_parameter,
              "a tool of type '" + type + "' cannot be sent to this provider", where);
}

Result<Block> function_tool(const Tool& tool, const ModelTraits& traits, Notes& notes) {
  bool strict = tool.strict.value_or(false);
  if (strict && !traits.schema_output) {
    if (auto named = notes.drop("tools.strict"); !named) return std::unexpected(named.error());
    strict = false;
  }
  const std::string schema = input_schema(tool.parameters_json);
  Block block;
  JsonWriter w(block.json);
  w.begin_object().member("name", tool.name);
  if (!tool.description.empty()) w.member("description", tool.description);
  w.raw_member("input_schema", strict ? output_schema(schema) : schema);
  if (strict) w.member("strict", true);
  w.end_object();
  block.cache_control = tool.cache_control_json;
  return block;
}

bool is_allowed(const ToolChoice& choice, const Tool& tool) {
  return choice.allowed.empty() ||
         std::ranges::find(choice.allowed, tool.name) != choice.allowed.end();
}

std::string_view choice_type(Mode mode) {
  switch (mode) {
    case Mode::none:
      return "none";
    case Mode::required:
      return "any";
    case Mode::named:
      return "tool";
    default:
      return "auto";
  }
}

std::string choice_json(Mode mode, std::string_view name, bool one_at_a_time) {
  std::string json;
  JsonWriter w(json);
  w.begin_object().member("type", choice_type(mode));
  if (mode == Mode::named) w.member("name", name);
  if (one_at_a_time && mode != Mode::none) w.member("disable_parallel_tool_use", true);
  w.end_object();
  return json;
}

/// A name that none of the client's own tools has.
std::string free_name(const ChatRequest& request) {
  std::string name = "json";
  while (std::ranges::find(request.tools, name, &Tool::name) != request.tools.end())
    name += "_output";
  return name;
}

/// Structured output as the one tool that must be called: by name, or as one of several where the
/// client's own tools may be called too.
void force_json_tool(const ChatRequest& request, ToolPlan& plan) {
  const ResponseFormat& format = request.response_format;
  const bool others = !plan.tools.empty() && request.tool_choice.mode != Mode::none;
  plan.json_tool = free_name(request);
  Block block;
  JsonWriter w(block.json);
  w.begin_object().member("name", plan.json_tool);
  w.member("description", format.description.empty()
                              ? std::string_view("Gives the answer; call it exactly once.")
                              : std::string_view(format.description));
  w.raw_member("input_schema", input_schema(format.schema_json)).end_object();
  plan.tools.push_back(std::move(block));
  plan.choice = choice_json(others ? Mode::required : Mode::named, plan.json_tool, true);
  plan.forced = true;
}

Result<void> plan_choice(const ChatRequest& request, ToolPlan& plan) {
  const ToolChoice& choice = request.tool_choice;
  const bool one_at_a_time = request.parallel_tool_calls == false;
  const bool must = choice.mode == Mode::required || choice.mode == Mode::named;
  if (plan.tools.empty()) {
    if (!must) return {};
    return fail(ErrorKind::invalid_request, "tool_choice demands a tool, but none is offered",
                "tool_choice");
  }
  if (choice.mode == Mode::unset && !one_at_a_time) return {};
  plan.choice = choice_json(choice.mode, choice.name, one_at_a_time);
  plan.forced = must;
  return {};
}

}  // namespace

Result<ToolPlan> plan_tools(const ChatRequest& request, const ModelTraits& traits, Notes& notes) {
  ToolPlan plan;
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    const Tool& tool = request.tools[i];
    if (!is_allowed(request.tool_choice, tool)) continue;
    auto block = tool.function
                     ? function_tool(tool, traits, notes)
                     : native_tool(tool, "tools[" + std::to_string(i) + "]", notes.limit_uses);
    if (!block) return std::unexpected(block.error());
    plan.tools.push_back(std::move(*block));
  }
  if (auto chosen = plan_choice(request, plan); !chosen) return std::unexpected(chosen.error());
  const bool structured = request.response_format.kind == ResponseFormat::Kind::json_schema;
  if (structured && !traits.schema_output) force_json_tool(request, plan);
  return plan;
}

}  // namespace tollgate::routing::anthropic
