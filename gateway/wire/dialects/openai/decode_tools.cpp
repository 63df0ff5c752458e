// Tools and the choice among them, in today's and in the first API's spelling.
#include "gateway/wire/dialects/openai/openai.hpp"

namespace tollgate::wire::openai {
namespace {

using Mode = ToolChoice::Mode;

constexpr std::array function_rules{
    Rule<Tool>{"name", into<&Tool::name>},
    Rule<Tool>{"description", into<&Tool::description>},
    Rule<Tool>{"parameters", raw_into<&Tool::parameters_json>},
    Rule<Tool>{"strict", into<&Tool::strict>},
    Rule<Tool>{"cache_control", raw_into<&Tool::cache_control_json>},
};

Result<void> read_function(const Node& node, Tool& out) {
  if (auto done = read_object(node, function_rules, out); !done) return done;
  return out.name.empty() ? missing(node, "name") : Result<void>{};
}

/// A tool of a kind that the hub does not know keeps its text; only providers that relay take it.
Result<void> read_other_tool(const Node& node, std::string_view type, Tool& out) {
  out.function = false;
  out.raw_json = node.text;
  if (type != "custom") return {};
  const auto custom = require(node, "custom");
  if (!custom) return std::unexpected(custom.error());
  if (auto done = need_member(*custom, "name", out.name); !done) return done;
  return read_member(*custom, "description", out.description);
}

Result<void> read_tool(const Node& node, Tool& out) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  std::string type = "function";
  if (!node.find("type") && !node.find("function")) return missing(node, "type");
  if (auto done = read_member(node, "type", type); !done) return done;
  if (const auto control = node.find("cache_control")) {
    if (auto done = read_raw_object(*control, out.cache_control_json); !done) return done;
  }
  if (type != "function") return read_other_tool(node, type, out);
  const auto function = require(node, "function");
  return function ? read_function(*function, out) : std::unexpected(function.error());
}

struct ModeName {
  std::string_view name;
  Mode mode;
};
constexpr std::array mode_names{ModeName{"auto", Mode::automatic}, ModeName{"none", Mode::none},
                                ModeName{"required", Mode::required}};

Result<void> read_mode(const Node& node, ToolChoice& out) {
  std::string text;
  if (auto done = read(node, text); !done) return done;
  for (const auto& [name, mode] : mode_names) {
    if (text != name) continue;
    out.mode = mode;
    return {};
  }
  return bad_value(node, "supported values are 'none', 'auto' and 'required'");
}

/// `{"type":T, T:{"name":...}}`, or with the name beside the type as the Responses API has it.
Result<void> read_named(const Node& node, std::string_view type, std::string& out) {
  const auto inner = node.find(type);
  if (!inner && !node.find("name")) return missing(node, type);
  return need_member(inner ? *inner : node, "name", out);
}

Result<void> read_allowed(const Node& node, ToolChoice& out) {
  const auto allowed = node.find("allowed_tools");
  const Node& from = allowed ? *allowed : node;
  out.mode = Mode::automatic;
  if (const auto mode = from.find("mode")) {
    if (auto done = read_mode(*mode, out); !done) return done;
  }
  const auto tools = require(from, "tools");
  if (!tools) return std::unexpected(tools.error());
  return read_array(*tools, "an array of tools", [&](const Node& tool) -> Result<void> {
    if (tool.kind() != JsonKind::object) return wrong_type(tool, "an object");
    std::string type = "function";
    if (auto done = read_member(tool, "type", type); !done) return done;
    return read_named(tool, type, out.allowed.emplace_back());
  });
}

}  // namespace

Result<void> read_tools(const Node& node, ChatRequest& out) {
  out.tools.clear();
  return read_array(node, "an array of tools",
                    [&](const Node& tool) { return read_tool(tool, out.tools.emplace_back()); });
}

Result<void> read_tool_choice(const Node& node, ChatRequest& out) {
  ToolChoice& choice = out.tool_choice = {};
  if (node.kind() == JsonKind::string) return read_mode(node, choice);
  if (node.kind() != JsonKind::object) return wrong_type(node, "a string or an object");
  std::string type;
  if (auto done = need_member(node, "type", type); !done) return done;
  if (type == "allowed_tools") return read_allowed(node, choice);
  if (type != "function" && type != "custom") {
    return bad_value(node.member("type", {}),
                     "supported values are 'function', 'custom' and 'allowed_tools'");
  }
  choice.mode = Mode::named;
  return read_named(node, type, choice.name);
}

/// `tools` wins where a client sends both, whichever stands first.
Result<void> read_legacy_functions(const Node& node, ChatRequest& out) {
  const bool already = !out.tools.empty();
  return read_array(node, "an array of functions", [&](const Node& function) {
    Tool tool;
    auto done = read_function(function, tool);
    if (done && !already) out.tools.push_back(std::move(tool));
    return done;
  });
}

Result<void> read_legacy_choice(const Node& node, ChatRequest& out) {
  if (out.tool_choice.mode != Mode::unset) return {};
  if (node.kind() == JsonKind::string) return read_mode(node, out.tool_choice);
  if (node.kind() != JsonKind::object) return wrong_type(node, "a string or an object");
  out.tool_choice.mode = Mode::named;
  return need_member(node, "name", out.tool_choice.name);
}

}  // namespace tollgate::wire::openai
