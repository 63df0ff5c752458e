// The conversation: each message with its role, content, calls and reasoning.
#include <span>

#include "gateway/wire/dialects/openai/openai.hpp"

namespace tollgate::wire::openai {
namespace {

/// A message on its way in: what depends on the role or on other members waits here.
struct Draft {
  Message& message;
  std::string role{}, refusal{}, cache_control_json{};
  std::optional<ToolCall> function_call{};
  bool has_content = false;
};

template <Result<void> (*Read)(const Node&, Message&)>
Result<void> whole(const Node& node, Draft& out) {
  return Read(node, out.message);
}

Result<void> content(const Node& node, Draft& out) {
  out.has_content = true;
  return read_content(node, out.message);
}

Result<void> thinking_blocks(const Node& node, Draft& out) {
  return read_array(node, "an array of objects",
                    [&](const Node& block) { return read_thinking_block(block, out.message); });
}

/// Two names go round for it; some clients send both, and some send an empty one.
Result<void> reasoning(const Node& node, Draft& out) {
  std::string text;
  if (auto done = read(node, text); !done) return done;
  if (!text.empty()) out.message.reasoning = std::move(text);
  return {};
}

Result<void> function_call(const Node& node, Draft& out) {
  return read_legacy_call(node, out.function_call.emplace());
}

using DraftRule = Rule<Draft>;
constexpr std::array rules{
    DraftRule{"role", into<&Draft::role>},
    DraftRule{"content", content},
    DraftRule{"name", whole<into<&Message::name>>},
    DraftRule{"tool_calls", whole<read_tool_calls>},
    DraftRule{"tool_call_id", whole<into<&Message::tool_call_id>>},
    DraftRule{"refusal", into<&Draft::refusal>},
    DraftRule{"function_call", function_call},
    DraftRule{"reasoning_content", reasoning},
    DraftRule{"reasoning", reasoning},
    DraftRule{"thinking_blocks", thinking_blocks},
    DraftRule{"cache_control", raw_into<&Draft::cache_control_json>},
    DraftRule{"is_error", whole<into<&Message::is_error>>},
};

struct RoleName {
  std::string_view name;
  Role role;
};
constexpr std::array role_names{
    RoleName{"system", Role::system}, RoleName{"developer", Role::developer},
    RoleName{"user", Role::user},     RoleName{"assistant", Role::assistant},
    RoleName{"tool", Role::tool},     RoleName{"function", Role::tool},
};

Result<void> set_role(const Node& node, Draft& draft) {
  if (draft.role.empty()) return missing(node, "role");
  for (const auto& [name, role] : role_names) {
    if (draft.role != name) continue;
    draft.message.role = role;
    return {};
  }
  return bad_value(node.member("role", {}),
                   "supported values are 'system', 'developer', 'user', 'assistant', 'tool' and "
                   "'function'");
}

/// Answers of the first API name the function; the hub pairs by id. The latest call of that name is
/// meant.
Result<void> pair_function_result(const Node& node, std::span<const Message> before,
                                  Message& result) {
  if (result.name.empty()) return missing(node, "name");
  result.tool_call_id = "call_" + result.name;
  for (const Message& message : before) {
    for (const ToolCall& call : message.tool_calls) {
      if (call.name == result.name) result.tool_call_id = call.id;
    }
  }
  return {};
}

/// A call of the first API has no id. Its place makes one that is the same at every replay.
void adopt_function_call(Draft& draft, std::size_t place) {
  if (!draft.function_call || !draft.message.tool_calls.empty()) return;
  draft.function_call->id = "call_function_" + std::to_string(place);
  draft.message.tool_calls.push_back(std::move(*draft.function_call));
}

/// An empty answer of a tool is an answer; only what a person or an operator says must be there.
bool needs_content(Role role) {
  return role == Role::system || role == Role::developer || role == Role::user;
}

Result<void> check(const Node& node, const Draft& draft) {
  const Message& message = draft.message;
  if (!draft.has_content && needs_content(message.role)) return missing(node, "content");
  if (message.role == Role::tool && message.tool_call_id.empty()) {
    return missing(node, "tool_call_id");
  }
  return {};
}

/// What its members mean together; `before` are the messages that came earlier.
Result<void> complete(const Node& node, std::span<const Message> before, Draft& draft) {
  if (auto done = set_role(node, draft); !done) return done;
  Message& message = draft.message;
  if (draft.role == "function") {
    if (auto done = pair_function_result(node, before, message); !done) return done;
  }
  adopt_function_call(draft, before.size());
  if (!draft.refusal.empty()) message.content.push_back({RefusalPart{draft.refusal}, {}});
  if (!draft.cache_control_json.empty() && !message.content.empty()) {
    message.content.back().cache_control_json = std::move(draft.cache_control_json);
  }
  return check(node, draft);
}

/// The text behind the message.
Result<std::string_view> read_message(const Node& node, std::vector<Message>& out) {
  Draft draft{.message = out.emplace_back()};
  auto rest = read_members(node, rules, draft);
  if (!rest) return rest;
  if (auto done = complete(node, std::span(out).first(out.size() - 1), draft); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return rest;
}

/// OpenAI takes a string only. Clients send what other APIs take: an object, or null for none.
Result<void> read_arguments(const Node& node, std::string_view name, std::string& out) {
  const auto arguments = node.find(name);
  if (!arguments) return {};
  if (arguments->kind() != JsonKind::object) return read(*arguments, out);
  out = arguments->text;
  return {};
}

Result<void> read_signature(const Node& node, ToolCall& out) {
  const auto extra = node.find("extra_content");
  const auto google = extra ? extra->find("google") : std::nullopt;
  return google ? read_member(*google, "thought_signature", out.signature) : Result<void>{};
}

Result<void> read_call(const Node& node, ToolCall& out) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  std::string type = "function";
  if (auto done = read_member(node, "id", out.id); !done) return done;
  if (auto done = read_member(node, "type", type); !done) return done;
  out.custom = type == "custom";
  if (!out.custom && type != "function") {
    return bad_value(node.member("type", {}), "supported values are 'function' and 'custom'");
  }
  const auto inner = require(node, out.custom ? "custom" : "function");
  if (!inner) return std::unexpected(inner.error());
  if (inner->kind() != JsonKind::object) return wrong_type(*inner, "an object");
  if (auto done = read_member(*inner, "name", out.name); !done) return done;
  if (out.name.empty()) return missing(*inner, "name");
  if (auto done = read_arguments(*inner, out.custom ? "input" : "arguments", out.arguments);
      !done) {
    return done;
  }
  if (const auto control = node.find("cache_control")) {
    if (auto done = read_raw_object(*control, out.cache_control_json); !done) return done;
  }
  return read_signature(node, out);
}

}  // namespace

Result<void> read_tool_calls(const Node& node, Message& out) {
  out.tool_calls.clear();
  return read_array(node, "an array of tool calls", [&](const Node& call) {
    return read_call(call, out.tool_calls.emplace_back());
  });
}

Result<void> read_legacy_call(const Node& node, ToolCall& out) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  if (auto done = need_member(node, "name", out.name); !done) return done;
  return read_arguments(node, "arguments", out.arguments);
}

Result<void> read_messages(const Node& node, std::vector<Message>& out) {
  constexpr std::size_t usual = 8;
  out.clear();
  out.reserve(usual);
  return read_objects(node, [&](const Node& message) { return read_message(message, out); });
}

}  // namespace tollgate::wire::openai
