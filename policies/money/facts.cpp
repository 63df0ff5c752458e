#include <algorithm>
#include <array>

#include "gateway/core/tool_uses.hpp"
#include "gateway/wire/json_walk.hpp"
#include "policies/money/bound.hpp"

namespace tollgate::policies {
namespace {

using wire::JsonElements;
using wire::JsonField;
using wire::JsonKind;
using wire::JsonMembers;
using wire::RequestView;

template <std::size_t N>
using Names = std::array<std::string_view, N>;

/// Many names, by their length and their first letter: a field is compared with one or two of them.
template <std::size_t N>
class NameTable {
 public:
  consteval explicit NameTable(Names<N> names) : names_(names) {
    std::ranges::sort(names_, {}, place);
    for (std::size_t i = N; i > 0; --i)
      begins_[place(names_[i - 1])] = static_cast<std::uint8_t>(i);
  }
  [[nodiscard]] bool holds(std::string_view name) const {
    if (name.empty() || name.size() >= lengths) return false;
    const std::size_t at = place(name);
    for (std::size_t i = begins_[at]; i > 0 && i <= N && place(names_[i - 1]) == at; ++i) {
      if (names_[i - 1] == name) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t lengths = 32, letters = 32;
  static constexpr std::size_t place(std::string_view name) {
    return name.size() * letters + static_cast<unsigned char>(name.front()) % letters;
  }
  static_assert(N < 256);
  Names<N> names_;
  std::array<std::uint8_t, lengths * letters> begins_{};  // one more than the place; 0: none
};

template <std::size_t N>
bool one_of(const Names<N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// M6: fields that change no price, or change it in a way that is looked at below. What is missing
/// here makes the price unknown: whoever adds a field to the gateway decides about it once more.
constexpr NameTable neutral_fields(std::to_array<std::string_view>(
    {"model", "messages", "prompt", "input", "stream", "stream_options",
     // chat completions, completions, embeddings
     "audio", "best_of", "dimensions", "echo", "encoding_format", "frequency_penalty",
     "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens",
     "metadata", "modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty",
     "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
     "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "suffix",
     "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
     "web_search_options",
     // extensions of the hub and of compatible servers
     "cache_control", "cache_prompt", "chat_template_kwargs", "enable_thinking", "grammar",
     "guided_choice", "guided_decoding_backend", "guided_grammar", "guided_json", "guided_regex",
     "ignore_eos", "include_reasoning", "input_type", "keep_alive", "length_penalty", "min_p",
     "min_tokens", "mirostat", "mirostat_eta", "mirostat_tau", "output_config", "priority",
     "random_seed", "reasoning", "reasoning_format", "reasoning_split", "repeat_penalty",
     "repetition_penalty", "safe_prompt", "safety_settings", "skip_special_tokens",
     "stop_sequences", "stop_token_ids", "structured_outputs", "system", "thinking",
     "thinking_budget", "top_a", "top_k", "truncate_prompt_tokens", "truncation", "typical_p",
     "use_beam_search", "usage"}));
/// Never sent upstream.
constexpr Names<3> not_sent{"api_base", "base_url", "api_key"};

/// Members of a message that are text, or that replies carry and clients send back.
constexpr Names<17> text_members{"role",
                                 "name",
                                 "tool_call_id",
                                 "tool_calls",
                                 "function_call",
                                 "refusal",
                                 "reasoning",
                                 "reasoning_content",
                                 "reasoning_details",
                                 "thinking_blocks",
                                 "cache_control",
                                 "is_error",
                                 "prefix",
                                 "partial",
                                 "annotations",
                                 "extra_content",
                                 "provider_specific_fields"};
constexpr Names<4> text_parts{"text", "refusal", "thinking", "redacted_thinking"};

/// Members of a tool that the client runs itself.
constexpr Names<9> own_tool_members{"type", "function",    "custom",     "cache_control", "strict",
                                    "name", "description", "parameters", "input_schema"};

std::uint64_t count_elements(std::string_view json) {
  if (!json.starts_with('[')) return 1;
  std::uint64_t count = 0;
  for (JsonElements elements(json); elements.next();)
    ++count;
  return count;
}

/// Prompts of /v1/completions: a text, texts, one list of tokens, or several.
std::uint32_t count_prompts(std::string_view json) {
  if (!json.starts_with('[')) return 1;
  JsonElements elements(json);
  if (!elements.next() || (elements.value().front() != '"' && elements.value().front() != '['))
    return 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count_elements(json), UINT32_MAX));
}

/// `web_search_20250305` and `web_search_preview` are priced as `web_search`.
std::string tool_name(std::string type) {
  for (const std::string_view known :
       {"web_search", "web_fetch", "code_execution", "google_search"}) {
    if (type.starts_with(known)) return std::string(known);
  }
  return type;
}

std::string text_of(std::string_view json) { return wire::json_string(json).value_or(""); }

/// What the provider runs, by its type or, where it has none, by its first member:
/// `{"google_search": {}}`. Empty: the client's own.
std::string provider_tool_name(std::string_view json) {
  std::string type, foreign;
  bool own = false;
  for (JsonMembers members(json); members.next();) {
    const std::string_view name = members.name();
    if (name == "type") {
      type = text_of(members.value());
    } else if (name == "function" || name == "custom") {
      own = true;
    } else if (foreign.empty() && !one_of(own_tool_members, name)) {
      foreign = name;
    }
  }
  if (!type.empty() && type != "function" && type != "custom") return type;
  if (!foreign.empty()) return foreign;
  return own ? std::string() : "unnamed";
}

void note_tool(std::string_view json, RequestFacts& facts) {
  std::string name = provider_tool_name(json);
  if (name.empty()) return;
  const bool takes = takes_max_uses(name);
  ProviderTool tool;
  tool.name = tool_name(std::move(name));
  tool.takes_uses = takes;
  for (JsonMembers members(json); members.next();) {
    if (members.name() != "max_uses") continue;
    const auto number = wire::json_int(members.value());
    tool.takes_uses = false;
    tool.max_uses.reset();
    if (number && *number > 0) tool.max_uses = static_cast<std::uint64_t>(*number);
  }
  facts.provider_tools.push_back(std::move(tool));
}

/// `{"url": "..."}`, or the URL itself. A picture stands in the request where its URL is plainly
/// data.
void note_image(std::string_view json, RequestFacts& facts) {
  std::uint64_t urls = 0, inlined = 0;
  const auto note = [&](std::string_view url) {
    ++urls;
    if (url.starts_with("\"data:")) ++inlined;
  };
  if (wire::json_kind(json) == JsonKind::string) note(json);
  for (JsonMembers members(json); members.next();) {
    if (members.name() == "url") note(members.value());
  }
  urls == 1 && inlined == 1 ? void(++facts.images) : void(facts.opaque_input = true);
}

void note_part(std::string_view json, RequestFacts& facts) {
  std::string type;
  std::string_view image;
  std::uint64_t types = 0;
  for (JsonMembers members(json); members.next();) {
    if (members.name() == "type") {
      type = text_of(members.value());
      ++types;
    } else if (members.name() == "image_url") {
      image = members.value();
    }
  }
  if (types == 1 && one_of(text_parts, type)) return;
  if (types == 1 && type == "image_url") return note_image(image, facts);
  if (types == 1 && type == "input_audio") {
    facts.audio_input = true;
    return;
  }
  facts.opaque_input = true;
}

void note_content(std::string_view json, RequestFacts& facts) {
  if (wire::json_kind(json) != JsonKind::array) return;
  for (JsonElements parts(json); parts.next();)
    note_part(parts.value(), facts);
}

void note_message_member(std::string_view name, std::string_view value, RequestFacts& facts) {
  const JsonKind kind = wire::json_kind(value);
  if (kind == JsonKind::null || kind == JsonKind::boolean || kind == JsonKind::number) return;
  if (name == "content") return note_content(value, facts);
  if (!one_of(text_members, name)) facts.opaque_input = true;
}

/// Text is bounded by its bytes. Whatever stands for more than its bytes, as the id of an earlier
/// reply's audio does, or is not known at all, is bounded by the window only.
void note_messages(std::string_view messages, RequestFacts& facts) {
  facts.messages = 0;
  wire::JsonCursor cursor(messages);
  // Long texts are walked over once: no message's end is looked for before its members are.
  for (char before = '['; cursor.take(before) && (cursor.space(), !cursor.take(']'));
       before = ',') {
    ++facts.messages;
    if (wire::json_kind(cursor.rest()) != JsonKind::object) {
      facts.opaque_input = true;
      cursor.value();
      cursor.space();
      continue;
    }
    JsonMembers members(cursor.rest());
    while (members.next())
      note_message_member(members.name(), members.value(), facts);
    cursor = wire::JsonCursor(members.rest());
  }
}

void note_format(std::string_view json, RequestFacts& facts) {
  const auto type = wire::json_member(json, "type");
  const std::string name = type ? text_of(*type) : "";
  if (name == "text") return;
  facts.may_be_cut = false;
  if (name != "json_object") facts.tools_or_schema = true;
}

void note_modalities(std::string_view json, RequestFacts& facts) {
  for (JsonElements kinds(json); kinds.next();) {
    const std::string kind = text_of(kinds.value());
    if (kind == "audio") facts.audio_output = true;
    if (kind == "image") facts.image_output = true;
  }
}

bool holds(std::string_view json, std::string_view text) {
  return json.find(text) != std::string_view::npos;
}

/// A letter or a digit is written as an escape, which nobody needs: names may hide there.
bool hides_letters(std::string_view json) {
  constexpr std::string_view escape = "\\u00";
  for (std::size_t at = json.find(escape); at != std::string_view::npos;
       at = json.find(escape, at + escape.size())) {
    const std::string_view digits = json.substr(at + escape.size(), 2);
    if (digits.empty() || digits[0] < '3' || digits[0] > '7') continue;
    // `<`, `>` and `&` are escaped by many encoders, and hide nothing.
    if (digits[0] != '3' || (digits.size() == 2 && digits[1] >= '0' && digits[1] <= '9')) {
      return true;
    }
  }
  return false;
}

bool asks_for_an_hour(const RequestView& view) {
  if (!view.shape.saw_watched()) return false;
  return holds(view.body, "\"1h\"") || hides_letters(view.body);
}

void note_field(const JsonField& field, RequestFacts& facts) {
  const std::string_view name = field.name, value = field.value;
  if (name == "messages") {
    note_messages(value, facts);
  } else if (name == "prompt") {
    facts.prompts = count_prompts(value);
  } else if (name == "best_of") {
    const auto best = wire::json_int(value);
    if (best && *best > facts.choices)
      facts.choices = static_cast<std::uint32_t>(std::min<std::int64_t>(*best, 1024));
  } else if (name == "tools" || name == "functions") {
    facts.tools_or_schema = true;
    facts.may_be_cut = false;
    for (JsonElements tools(value); name == "tools" && tools.next();)
      note_tool(tools.value(), facts);
  } else if (name == "response_format") {
    note_format(value, facts);
  } else if (name == "web_search_options") {
    ProviderTool& search = facts.provider_tools.emplace_back();
    search.name = "web_search";
    search.by_options = true;
  } else if (name == "prediction") {
    facts.prediction_bytes = value.size();
  } else if (name == "modalities") {
    note_modalities(value, facts);
  } else if (name == "service_tier") {
    facts.service_tier = wire::json_string(value).value_or("");
  } else if (name == "reasoning_effort" || name == "reasoning" || name == "thinking") {
    facts.may_be_cut = false;
  }
  if (facts.unpriced_field.empty() && !neutral_fields.holds(name) && !one_of(not_sent, name)) {
    facts.unpriced_field = name;
  }
}

}  // namespace

RequestFacts facts_of(const RequestView& view) {
  RequestFacts facts;
  facts.embeddings = view.endpoint == Endpoint::embeddings;
  facts.choices = view.n;
  if (view.max_tokens && *view.max_tokens > 0) {
    facts.limit = static_cast<std::uint64_t>(*view.max_tokens);
  }
  for (const JsonField& field : view.shape.fields()) {
    const bool plain = view.shape.plain_messages() && field.name == "messages";
    if (!plain && !field.is_null()) note_field(field, facts);
  }
  if (view.shape.plain_messages()) facts.messages = *view.shape.plain_messages();
  facts.cache_write_1h = asks_for_an_hour(view);
  for (const RawField* field : view.missing_defaults()) {
    note_field({.name = field->first, .value = field->second}, facts);
    facts.cache_write_1h |= holds(field->second, "\"1h\"");
  }
  return facts;
}

}  // namespace tollgate::policies
