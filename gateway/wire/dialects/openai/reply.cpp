#include "gateway/wire/dialects/openai/reply.hpp"

#include <algorithm>
#include <cstring>

#include "gateway/wire/json_writer.hpp"
#include "gateway/wire/plain_text.hpp"

namespace tollgate::wire::openai {
namespace {

/// Pieces of JSON, one behind the other where there is room for them.
class Put {
 public:
  explicit Put(char* at) : at_(at) {}
  template <std::size_t Size>
  Put& piece(const char (&literal)[Size]) {
    std::memcpy(at_, literal, Size - 1);
    at_ += Size - 1;
    return *this;
  }
  Put& number(std::uint64_t number) {
    at_ = put_number(at_, number);
    return *this;
  }
  [[nodiscard]] char* end() const { return at_; }

 private:
  char* at_;
};

/// The usage object but for what it costs and its brace.
char* put_tokens(char* at, const Usage& usage) {
  Put put(at);
  put.piece("{\"prompt_tokens\":").number(usage.prompt());
  put.piece(",\"completion_tokens\":").number(usage.output);
  put.piece(",\"total_tokens\":").number(usage.total());
  put.piece(",\"prompt_tokens_details\":{\"cached_tokens\":").number(usage.cache_read);
  put.piece(",\"audio_tokens\":").number(usage.audio_input);
  if (usage.cache_write != 0) put.piece(",\"cache_write_tokens\":").number(usage.cache_write);
  put.piece("},\"completion_tokens_details\":{\"reasoning_tokens\":");
  put.number(std::min(usage.reasoning, usage.output));
  put.piece(",\"audio_tokens\":").number(usage.audio_output).piece("}");
  return put.end();
}

}  // namespace

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
  constexpr std::size_t bytes_max = 512;
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + bytes_max, [&](char* data, std::size_t) {
    const char* const end = put_tokens(data + before, usage);
    return static_cast<std::size_t>(end - data);
  });
  if (cost >= 0) out.append(",\"cost\":").append(usd_text(cost));
  append_members(out, more);
  out += '}';
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[number_digits_max];
  out.append(digits, put_number(digits, number));
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
