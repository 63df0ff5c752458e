// The hub: what a chat or embedding request means, whatever dialect it came in and goes out in.
// Every dialect decodes to it, every provider encodes from it, so N + M codecs and never N x M.
// Raw JSON members (`*_json`) keep the client's own text: key order and large numbers survive.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tollgate {

enum class Role : std::uint8_t { system, developer, user, assistant, tool };

struct TextPart {
  std::string text;
};
struct RefusalPart {
  std::string text;
};
/// `url` is https: or data:; `detail` auto|low|high or empty.
struct ImagePart {
  std::string url, detail;
};
/// base64 `data`; `format` as OpenAI names it (wav, mp3).
struct AudioPart {
  std::string data, format;
};
/// One of `data` (a data: URL) and `file_id` is set.
struct FilePart {
  std::string data, file_id, filename;
};

struct Part {
  std::variant<TextPart, RefusalPart, ImagePart, AudioPart, FilePart> value;
  std::string cache_control_json;  ///< `{"type":"ephemeral",...}` or empty
};

struct ToolCall {
  std::string id, name;
  std::string arguments;           ///< the JSON text as the client sent it; may be empty or no JSON
  std::string signature;           ///< `extra_content.google.thought_signature`, or empty
  bool custom = false;             ///< type `custom`: `arguments` is free text
  std::string cache_control_json;  ///< extension, as on parts
};

/// One opaque reasoning block that must go back unchanged (`message.thinking_blocks`).
struct ThinkingBlock {
  std::string text, signature, redacted;
};

struct Message {
  Role role = Role::user;
  std::vector<Part> content;      ///< empty: null, "" or []
  bool content_is_string = true;  ///< the client sent a plain string
  std::string name, tool_call_id, reasoning;
  bool is_error = false;  ///< tool result marked as failed (extension)
  std::vector<ToolCall> tool_calls;
  std::vector<ThinkingBlock> thinking;
};

struct Tool {
  std::string name, description;
  std::string parameters_json;  ///< empty: none given
  std::string cache_control_json;
  std::string raw_json;  ///< the whole tool, for kinds we do not know
  std::optional<bool> strict;
  bool function = true;  ///< false: `custom` or another type
};

struct ToolChoice {
  enum class Mode : std::uint8_t { unset, automatic, none, required, named } mode = Mode::unset;
  std::string name;                  ///< for named
  std::vector<std::string> allowed;  ///< allowed_tools: the subset; mode is automatic or required
};

struct ResponseFormat {
  enum class Kind : std::uint8_t { unset, text, json_object, json_schema } kind = Kind::unset;
  std::string name, description, schema_json;
  std::optional<bool> strict;
};

/// A top-level member with its JSON text.
using RawField = std::pair<std::string, std::string>;

struct ChatRequest {
  std::string model;
  std::vector<Message> messages;
  std::vector<Tool> tools;
  ToolChoice tool_choice;
  std::optional<bool> parallel_tool_calls;
  ResponseFormat response_format;
  std::optional<std::int64_t> max_tokens;  ///< max_completion_tokens, else max_tokens
  std::optional<double> temperature, top_p, frequency_penalty, presence_penalty;
  std::optional<std::int64_t> top_k, n, seed, top_logprobs;
  std::optional<bool> logprobs, store;
  std::vector<std::string> stop;
  bool stream = false, include_usage = false;
  std::string reasoning_effort, verbosity, user, safety_identifier, service_tier;
  std::vector<std::string> modalities;
  std::string thinking_json;       ///< Anthropic's own `thinking`, as an extension
  std::string cache_control_json;  ///< top-level automatic caching, as an extension
  std::string audio_json, prediction_json, metadata_json, logit_bias_json;
  std::vector<RawField> other;  ///< every further member, in the client's order
};

struct EmbeddingRequest {
  std::string model, user;
  std::vector<std::string> inputs;                      ///< texts; or
  std::vector<std::vector<std::int64_t>> token_inputs;  ///< token ids
  std::optional<std::int64_t> dimensions;
  bool base64 = false;  ///< encoding_format asked for
  std::vector<RawField> other;
};

}  // namespace tollgate
