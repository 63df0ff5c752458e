// The bodies of whole chat and completions replies.
#include <algorithm>

#include "gateway/wire/dialects/openai/whole_bodies.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::wire::openai {
namespace {

/// Clients parse arguments: none are `{}`. Only the last call can be one that the token limit cut;
/// that stays as it came.
std::string_view arguments_of(const CollectedChoice& choice, const CollectedCall& call) {
  const bool whole =
      choice.finish_reason() == FinishReason::tool_calls || &call != &choice.calls.back();
  return whole && call.arguments.empty() ? std::string_view("{}") : call.arguments;
}

void write_text_or_null(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  text.empty() ? json.null() : json.value(text);
}

/// What every chat reply can hold, as JSON text behind an open `message` object.
class ChatBody {
 public:
  ChatBody(std::string& out, const ReplyIdentity& identity, bool legacy)
      : out_(out), identity_(identity), legacy_(legacy) {}

  void choice(const CollectedChoice& choice) {
    JsonWriter json(out_);
    json.begin_object().member("index", std::uint64_t{choice.index}).key("message");
    message(json, choice);
    if (!has_extra(choice, "logprobs")) json.key("logprobs").null();
    extras(json, choice, true);
    for (const auto& [name, text] : choice.members)
      json.raw_member(name, text);
    json.member("finish_reason", finish_name(choice.finish_reason(), legacy_)).end_object();
  }

 private:
  void message(JsonWriter& json, const CollectedChoice& choice) {
    json.head(R"({"role":"assistant","content":)");
    choice.text.empty() ? json.null() : json.value(choice.text);
    write_text_or_null(json, "refusal", choice.refusal);
    if (!choice.reasoning.empty()) {
      json.member("reasoning_content", std::string_view(choice.reasoning));
    }
    if (!choice.thinking.empty()) thinking(json, choice);
    if (!choice.calls.empty()) calls(json, choice);
    extras(json, choice, false);
    json.end_object();
  }

  void thinking(JsonWriter& json, const CollectedChoice& choice) {
    json.key("thinking_blocks").begin_array();
    for (const ThinkingBlock& block : choice.thinking) {
      std::string item = "{";
      if (block.redacted.empty()) {
        append_thinking(item, block.text, block.signature);
      } else {
        append_redacted_thinking(item, block.redacted);
      }
      json.raw(item += '}');
    }
    json.end_array();
  }

  void calls(JsonWriter& json, const CollectedChoice& choice) {
    if (legacy_) {
      json.key("function_call");
      return function(json, choice, choice.calls.front());
    }
    json.key("tool_calls").begin_array();
    for (const CollectedCall& call : choice.calls) {
      const std::string id =
          call.id.empty() ? fallback_call_id(identity_, choice.index, call.index) : call.id;
      json.begin_object().member("id", std::string_view(id)).member("type", "function");
      json.key("function");
      function(json, choice, call);
      if (!call.signature.empty()) {
        json.key("extra_content").begin_object().key("google").begin_object();
        json.member("thought_signature", std::string_view(call.signature));
        json.end_object().end_object();
      }
      json.end_object();
    }
    json.end_array();
  }

  static void function(JsonWriter& json, const CollectedChoice& choice, const CollectedCall& call) {
    json.begin_object().member("name", std::string_view(call.name));
    json.member("arguments", arguments_of(choice, call)).end_object();
  }

  static bool has_extra(const CollectedChoice& choice, std::string_view name) {
    return std::ranges::find(choice.extras, name, &RawField::first) != choice.extras.end();
  }
  static void extras(JsonWriter& json, const CollectedChoice& choice, bool beside_message) {
    for (const auto& [name, text] : choice.extras) {
      if (belongs_to_choice(name) == beside_message) json.raw_member(name, text);
    }
  }

  std::string& out_;
  const ReplyIdentity& identity_;
  bool legacy_;
};

void append_tail(std::string& out, const CollectedReply& reply) {
  out += ']';
  if (reply.usage) {
    out += ",\"usage\":";
    append_usage(out, *reply.usage, -1, reply.usage_members);
  }
  append_members(out, reply.members);
  out += '}';
}

}  // namespace

std::string render_chat(CollectedReply reply, const ReplyContext& context) {
  constexpr std::size_t more_bytes = 1024;
  std::string out;
  std::size_t text_bytes = 0;
  for (const CollectedChoice& choice : reply.choices)
    text_bytes += choice.text.size() + choice.reasoning.size();
  out.reserve(text_bytes + text_bytes / 8 + more_bytes);
  reply.identity.append_head(out, "chat.completion");
  out += ",\"choices\":[";
  ChatBody body(out, reply.identity, context.legacy_functions);
  for (const CollectedChoice& choice : reply.choices) {
    if (&choice != &reply.choices.front()) out += ',';
    body.choice(choice);
  }
  append_tail(out, reply);
  return out;
}

std::string render_completion(CollectedReply reply) {
  std::string out;
  reply.identity.append_head(out, "text_completion");
  out += ",\"choices\":[";
  for (const CollectedChoice& choice : reply.choices) {
    if (&choice != &reply.choices.front()) out += ',';
    JsonWriter json(out);
    json.begin_object().member("text", std::string_view(choice.text));
    json.member("index", std::uint64_t{choice.index}).key("logprobs");
    const auto logprobs = std::ranges::find(choice.extras, "logprobs", &RawField::first);
    logprobs == choice.extras.end() ? json.null() : json.raw(logprobs->second);
    for (const auto& [name, text] : choice.members)
      json.raw_member(name, text);
    json.member("finish_reason", to_string(choice.finish_reason())).end_object();
  }
  append_tail(out, reply);
  return out;
}

}  // namespace tollgate::wire::openai
