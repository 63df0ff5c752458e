#include "gateway/wire/dialects/openai/reply.hpp"

#include <algorithm>
#include <charconv>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::wire::openai {

ReplyIdentity::ReplyIdentity(const ReplyContext& context)
    : id_(context.id), model_(context.model), created_(context.created), relay_(context.relay) {}

void ReplyIdentity::started(const Started& started) {
  if (!started.id.empty()) id_ = started.id;
  if (started.created != 0) created_ = started.created;
  if (relay_ && !started.model.empty()) model_ = started.model;
}

void ReplyIdentity::append_head(std::string& out, std::string_view object) const {
  out += "{\"id\":";
  append_quoted(out, id_);
  out.append(",\"object\":\"").append(object).append("\",\"created\":");
  out += std::to_string(created_);
  out += ",\"model\":";
  append_quoted(out, model_);
}

void append_members(std::string& out, std::span<const RawField> members) {
  for (const auto& [name, json] : members) {
    out += ',';
    append_quoted(out, name);
    out.append(":").append(json);
  }
}

void append_usage(std::string& out, const Usage& usage, NanoUsd cost,
                  std::span<const RawField> more) {
  JsonWriter json(out);
  json.begin_object().member("prompt_tokens", usage.prompt());
  json.member("completion_tokens", usage.output).member("total_tokens", usage.total());
  json.key("prompt_tokens_details").begin_object();
  json.member("cached_tokens", usage.cache_read).member("audio_tokens", usage.audio_input);
  if (usage.cache_write != 0) json.member("cache_write_tokens", usage.cache_write);
  json.end_object().key("completion_tokens_details").begin_object();
  json.member("reasoning_tokens", std::min(usage.reasoning, usage.output));
  json.member("audio_tokens", usage.audio_output).end_object();
  if (cost >= 0) json.raw_member("cost", usd_text(cost));
  for (const auto& [name, text] : more)
    json.raw_member(name, text);
  json.end_object();
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  out.append(digits, end);
}

void append_call_signature(std::string& out, std::string_view signature) {
  out += "\"extra_content\":{\"google\":{\"thought_signature\":";
  append_quoted(out, signature);
  out += "}}";
}

void append_thinking(std::string& out, std::string_view text, std::string_view signature) {
  out += "\"type\":\"thinking\",\"thinking\":";
  append_quoted(out, text);
  out += ",\"signature\":";
  append_quoted(out, signature);
}

void append_redacted_thinking(std::string& out, std::string_view data) {
  out += "\"type\":\"redacted_thinking\",\"data\":";
  append_quoted(out, data);
}

bool belongs_to_choice(std::string_view name) {
  return name == "logprobs" || name == "content_filter_results";
}

std::string_view finish_name(FinishReason reason, bool legacy_functions) {
  const bool renamed = legacy_functions && reason == FinishReason::tool_calls;
  return to_string(renamed ? FinishReason::function_call : reason);
}

std::string fallback_call_id(const ReplyIdentity& identity, std::uint32_t choice,
                             std::uint32_t index) {
  return "call_" + identity.id() + "_" + std::to_string(choice) + "_" + std::to_string(index);
}

}  // namespace tollgate::wire::openai
