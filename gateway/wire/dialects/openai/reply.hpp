// What every reply of the openai_chat dialect is made of, streamed or whole: its identity, its
// usage, and how pieces are named. For this folder only; pure.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/core/event.hpp"
#include "gateway/wire/dialect.hpp"

namespace tollgate::wire::openai {

/// id, created and model: the provider's where it gave them, else the context's. Over a relay the
/// model is the provider's too, so that rewritten chunks fit those that passed as they were.
class ReplyIdentity {
 public:
  explicit ReplyIdentity(const ReplyContext& context);
  void started(const Started& started);
  /// Appends `{"id":...,"object":...,"created":...,"model":...` with no closing brace.
  void append_head(std::string& out, std::string_view object) const;
  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  std::string id_, model_;
  std::int64_t created_;
  bool relay_;
};

/// Appends the usage object of chat and completions, with `more` members; `cost` below 0 is left
/// out.
void append_usage(std::string& out, const Usage& usage, NanoUsd cost = -1,
                  std::span<const RawField> more = {});
/// Appends `,"name":json` for each.
void append_members(std::string& out, std::span<const RawField> members);

void append_number(std::string& out, std::uint64_t number);

/// Appends `"extra_content":{"google":{"thought_signature":...}}`, where clients of Gemini look.
void append_call_signature(std::string& out, std::string_view signature);

/// Appends the members of one thinking block, with no braces around them.
void append_thinking(std::string& out, std::string_view text, std::string_view signature);
void append_redacted_thinking(std::string& out, std::string_view data);

/// True for an ExtraDelta that belongs beside the message, not into it.
[[nodiscard]] bool belongs_to_choice(std::string_view name);

/// A choice's finish reason as the client must read it.
[[nodiscard]] std::string_view finish_name(FinishReason reason, bool legacy_functions);

/// The id of a call that the provider gave none: the same at every rendering.
[[nodiscard]] std::string fallback_call_id(const ReplyIdentity& identity, std::uint32_t choice,
                                           std::uint32_t index);

}  // namespace tollgate::wire::openai
