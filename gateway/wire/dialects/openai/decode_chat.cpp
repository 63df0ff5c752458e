// A chat request into the hub: one rule for each member that the hub knows, the rest kept as it is.
#include "gateway/wire/dialects/openai/openai.hpp"

namespace tollgate::wire::openai {
namespace {

/// A request on its way in: members that only mean something together wait here.
struct Draft {
  ChatRequest& request;
  std::optional<std::int64_t> old_max_tokens{};
};

/// Lifts a rule for the request to one for the draft.
template <Result<void> (*Read)(const Node&, ChatRequest&)>
Result<void> whole(const Node& node, Draft& out) {
  return Read(node, out.request);
}
template <auto Member>
constexpr auto field = whole<into<Member>>;
template <auto Member>
constexpr auto raw_field = whole<raw_into<Member>>;

Result<void> messages(const Node& node, Draft& out) {
  return read_messages(node, out.request.messages);
}

/// A single string or a list of them.
Result<void> stop(const Node& node, Draft& out) {
  std::vector<std::string>& stops = out.request.stop;
  if (node.kind() == JsonKind::array) return read(node, stops);
  if (node.kind() != JsonKind::string) return wrong_type(node, "a string or an array of strings");
  stops.assign(1, {});
  return read(node, stops.front());
}

Result<void> stream_options(const Node& node, Draft& out) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  return read_member(node, "include_usage", out.request.include_usage);
}

Result<void> json_schema(const Node& node, ResponseFormat& out) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  if (auto done = need_member(node, "name", out.name); !done) return done;
  if (auto done = read_member(node, "description", out.description); !done) return done;
  if (auto done = read_member(node, "strict", out.strict); !done) return done;
  const auto schema = node.find("schema");
  return schema ? read_raw_object(*schema, out.schema_json) : Result<void>{};
}

Result<void> response_format(const Node& node, Draft& out) {
  using Kind = ResponseFormat::Kind;
  ResponseFormat& format = out.request.response_format = {};
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  std::string type;
  if (auto done = need_member(node, "type", type); !done) return done;
  if (type == "text" || type == "json_object") {
    format.kind = type == "text" ? Kind::text : Kind::json_object;
    return {};
  }
  if (type != "json_schema") {
    return bad_value(node.member("type", {}),
                     "supported values are 'text', 'json_object' and 'json_schema'");
  }
  format.kind = Kind::json_schema;
  const auto schema = require(node, "json_schema");
  return schema ? json_schema(*schema, format) : std::unexpected(schema.error());
}

using DraftRule = Rule<Draft>;
constexpr std::array rules{
    DraftRule{"model", field<&ChatRequest::model>},
    DraftRule{"messages", messages},
    DraftRule{"stream", field<&ChatRequest::stream>},
    DraftRule{"stream_options", stream_options},
    DraftRule{"max_completion_tokens", field<&ChatRequest::max_tokens>},
    DraftRule{"max_tokens", into<&Draft::old_max_tokens>},
    DraftRule{"temperature", field<&ChatRequest::temperature>},
    DraftRule{"top_p", field<&ChatRequest::top_p>},
    DraftRule{"top_k", field<&ChatRequest::top_k>},
    DraftRule{"frequency_penalty", field<&ChatRequest::frequency_penalty>},
    DraftRule{"presence_penalty", field<&ChatRequest::presence_penalty>},
    DraftRule{"n", field<&ChatRequest::n>},
    DraftRule{"seed", field<&ChatRequest::seed>},
    DraftRule{"stop", stop},
    DraftRule{"logprobs", field<&ChatRequest::logprobs>},
    DraftRule{"top_logprobs", field<&ChatRequest::top_logprobs>},
    DraftRule{"logit_bias", raw_field<&ChatRequest::logit_bias_json>},
    DraftRule{"tools", whole<read_tools>},
    DraftRule{"tool_choice", whole<read_tool_choice>},
    DraftRule{"parallel_tool_calls", field<&ChatRequest::parallel_tool_calls>},
    DraftRule{"functions", whole<read_legacy_functions>},
    DraftRule{"function_call", whole<read_legacy_choice>},
    DraftRule{"response_format", response_format},
    DraftRule{"reasoning_effort", field<&ChatRequest::reasoning_effort>},
    DraftRule{"verbosity", field<&ChatRequest::verbosity>},
    DraftRule{"thinking", raw_field<&ChatRequest::thinking_json>},
    DraftRule{"cache_control", raw_field<&ChatRequest::cache_control_json>},
    DraftRule{"modalities", field<&ChatRequest::modalities>},
    DraftRule{"audio", raw_field<&ChatRequest::audio_json>},
    DraftRule{"prediction", raw_field<&ChatRequest::prediction_json>},
    DraftRule{"metadata", raw_field<&ChatRequest::metadata_json>},
    DraftRule{"store", field<&ChatRequest::store>},
    DraftRule{"user", field<&ChatRequest::user>},
    DraftRule{"safety_identifier", field<&ChatRequest::safety_identifier>},
    DraftRule{"service_tier", field<&ChatRequest::service_tier>},
};

Result<void> take(std::string_view name, std::string_view json, Draft& out) {
  if (json == "null") return {};
  if (const DraftRule* rule = find_rule(rules, name)) return rule->read({json, nullptr, name}, out);
  out.request.other.emplace_back(name, json);
  return {};
}

Result<void> fill(const RequestView& view, ChatRequest& request) {
  Draft draft{.request = request};
  for (const JsonField& member : view.shape.fields()) {
    if (auto done = take(member.name, member.value, draft); !done) return done;
  }
  for (const RawField* member : view.missing_defaults()) {
    if (auto done = take(member->first, member->second, draft); !done) {
      return bad_default(done.error());
    }
  }
  if (!request.max_tokens) request.max_tokens = draft.old_max_tokens;
  return {};
}

}  // namespace

Result<ChatRequest> decode_chat(const RequestView& view) {
  Result<ChatRequest> request;  // filled where the caller wants it: it is large to move
  if (auto done = fill(view, *request); !done) request = std::unexpected(std::move(done.error()));
  return request;
}

}  // namespace tollgate::wire::openai
