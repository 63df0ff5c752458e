#include <algorithm>

#include "routing/providers/gemini_request.hpp"
#include "routing/providers/gemini_schema.hpp"

namespace tollgate::routing::gemini {
namespace {

using Mode = ToolChoice::Mode;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_char(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '-';
}

std::string sanitized(std::string_view name) {
  constexpr std::size_t name_max = 128;
  std::string out;
  if (name.empty() || !is_letter(name.front())) out += '_';
  for (char c : name)
    out += is_name_char(c) ? c : '_';
  if (out.size() > name_max) out.resize(name_max);
  return out;
}

std::string tool_param(std::size_t index, std::string_view member) {
  return "tools[" + std::to_string(index) + "]." + std::string(member);
}

Result<void> write_declaration(Draft& draft, std::size_t index) {
  const Tool& tool = draft.request.tools[index];
  if (!tool.function) {
    return fail(ErrorKind::unsupported_parameter, "Gemini takes function tools only",
                tool_param(index, "type"));
  }
  draft.json.begin_object().member("name", draft.names.sent(tool.name));
  if (!tool.description.empty()) draft.json.member("description", tool.description);
  if (!tool.parameters_json.empty() && tool.parameters_json != "null") {
    const std::string param = tool_param(index, "function.parameters");
    const auto schema = draft.traits.json_schema ? json_schema(tool.parameters_json, param)
                                                 : clean_schema(tool.parameters_json, param);
    if (!schema) return std::unexpected(schema.error());
    if (!describes_nothing(tool.parameters_json)) {
      draft.json.raw_member(draft.traits.json_schema ? "parametersJsonSchema" : "parameters",
                            *schema);
    }
  }
  draft.json.end_object();
  return {};
}

/// VALIDATED leaves the choice to the model, as AUTO does, and holds it to the schemas; only it and
/// ANY take a list of allowed names.
std::string_view calling_mode(const ChatRequest& request) {
  const bool strict = std::ranges::any_of(
      request.tools, [](const Tool& tool) { return tool.strict.value_or(false); });
  switch (request.tool_choice.mode) {
    case Mode::none:
      return "NONE";
    case Mode::required:
    case Mode::named:
      return "ANY";
    case Mode::automatic:
      return strict || !request.tool_choice.allowed.empty() ? "VALIDATED" : "AUTO";
    case Mode::unset:
      return strict ? "VALIDATED" : "";
  }
  return "";
}

void write_tool_config(Draft& draft) {
  const ToolChoice& choice = draft.request.tool_choice;
  const std::string_view mode = calling_mode(draft.request);
  if (mode.empty()) return;
  draft.json.key("toolConfig").begin_object().key("functionCallingConfig").begin_object();
  draft.json.member("mode", mode);
  std::vector<std::string> allowed = choice.allowed;
  if (choice.mode == Mode::named) allowed = {choice.name};
  if (!allowed.empty()) {
    draft.json.key("allowedFunctionNames").begin_array();
    for (const std::string& name : allowed)
      draft.json.value(draft.names.sent(name));
    draft.json.end_array();
  }
  draft.json.end_object().end_object();
}

}  // namespace

std::string ToolNames::sent(std::string_view name) {
  for (const auto& [client, sent] : names_) {
    if (client == name) return sent;
  }
  std::string fresh = sanitized(name);
  const auto taken = [&](const std::string& candidate) {
    return std::ranges::any_of(names_, [&](const auto& row) { return row.second == candidate; });
  };
  constexpr std::size_t stem_max = 120;
  const std::string stem = fresh.substr(0, stem_max);
  for (int n = 2; taken(fresh); ++n)
    fresh = stem + "_" + std::to_string(n);
  names_.emplace_back(name, std::move(fresh));
  return names_.back().second;
}

std::vector<std::pair<std::string, std::string>> ToolNames::changed() const {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& [client, sent] : names_) {
    if (client != sent) rows.emplace_back(sent, client);
  }
  return rows;
}

Result<void> write_tools(Draft& draft) {
  const ChatRequest& request = draft.request;
  if (request.parallel_tool_calls == false) draft.drop("parallel_tool_calls");
  if (request.tools.empty()) return {};
  draft.json.key("tools").begin_array().begin_object().key("functionDeclarations").begin_array();
  for (std::size_t i = 0; i < request.tools.size(); ++i) {
    if (auto written = write_declaration(draft, i); !written) return written;
  }
  draft.json.end_array().end_object().end_array();
  write_tool_config(draft);
  return {};
}

}  // namespace tollgate::routing::gemini
