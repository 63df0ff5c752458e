#include <algorithm>
#include <array>
#include <unordered_set>

#include "config/request_fields.hpp"
#include "gateway/core/chat.hpp"
#include "gateway/wire/json_walk.hpp"
#include "policies/money/bound.hpp"

namespace tollgate::policies {
namespace {

using wire::JsonElements;
using wire::JsonField;
using wire::RequestView;

/// Fields that may make a provider do, or charge, what the book does not know. What they ask for is
/// priced elsewhere (`web_search_options`) or not at all.
constexpr std::array<std::string_view, 5> not_neutral{
    "search_parameters", "mcp_servers", "extra_body", "moderation", "context_management"};
/// Never sent upstream.
constexpr std::array<std::string_view, 3> not_sent{"api_base", "base_url", "api_key"};

const std::unordered_set<std::string_view>& neutral_fields() {
  static const std::unordered_set<std::string_view> names = [] {
    std::unordered_set<std::string_view> made(not_sent.begin(), not_sent.end());
    for (const std::string_view name : config::request_fields())
      made.insert(name);
    for (const std::string_view name : not_neutral)
      made.erase(name);
    for (const std::string_view name :
         {"model", "messages", "prompt", "input", "stream", "stream_options"})
      made.insert(name);
    return made;
  }();
  return names;
}

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

void note_tool(std::string_view json, RequestFacts& facts) {
  const auto type = wire::json_member(json, "type");
  const std::string name = type ? wire::json_string(*type).value_or("") : "function";
  if (name == "function" || name == "custom" || name.empty()) return;
  ProviderTool tool{.name = tool_name(name), .max_uses = {}};
  if (const auto uses = wire::json_member(json, "max_uses")) {
    const auto number = wire::json_int(*uses);
    if (number && *number > 0) tool.max_uses = static_cast<std::uint64_t>(*number);
  }
  facts.provider_tools.push_back(std::move(tool));
}

void note_part(const Part& part, RequestFacts& facts) {
  if (const auto* image = std::get_if<ImagePart>(&part.value)) {
    image->url.starts_with("data:") ? void(++facts.images) : void(facts.opaque_input = true);
  } else if (std::holds_alternative<AudioPart>(part.value)) {
    facts.audio_input = true;
  } else if (std::holds_alternative<FilePart>(part.value)) {
    facts.opaque_input = true;
  }
}

/// Text alone is bounded by its bytes; whatever else there is has to be looked at. A name may be
/// written with escapes, which nobody needs for ASCII.
bool is_plain_text(std::string_view messages) {
  if (messages.find("\"type\"") != std::string_view::npos) return false;
  for (std::size_t at = messages.find("\\u00"); at != std::string_view::npos;
       at = messages.find("\\u00", at + 4)) {
    const char digit = at + 4 < messages.size() ? messages[at + 4] : '0';
    if (digit >= '2' && digit <= '7') return false;
  }
  return true;
}

void note_messages(const RequestView& view, std::string_view messages, RequestFacts& facts) {
  facts.messages = count_elements(messages);
  if (is_plain_text(messages)) return;
  const auto chat = view.chat();
  if (!chat) {
    facts.opaque_input = true;
    return;
  }
  for (const Message& message : (*chat)->messages) {
    for (const Part& part : message.content)
      note_part(part, facts);
  }
}

bool holds(std::string_view json, std::string_view text) {
  return json.find(text) != std::string_view::npos;
}

void note_field(const RequestView& view, const JsonField& field, RequestFacts& facts) {
  const std::string_view name = field.name, value = field.value;
  if (name == "messages") return note_messages(view, value, facts);
  if (name == "prompt") {
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
    if (holds(value, "json_schema")) facts.tools_or_schema = true;
    if (holds(value, "json")) facts.may_be_cut = false;
  } else if (name == "web_search_options") {
    facts.provider_tools.push_back({.name = "web_search", .max_uses = {}});
  } else if (name == "prediction") {
    facts.prediction_bytes = value.size();
  } else if (name == "modalities") {
    facts.audio_output = holds(value, "audio");
    facts.image_output = holds(value, "image");
  } else if (name == "service_tier") {
    facts.service_tier = wire::json_string(value).value_or("");
  } else if (name == "reasoning_effort" || name == "reasoning" || name == "thinking") {
    facts.may_be_cut = false;
  }
  if (facts.unpriced_field.empty() && !neutral_fields().contains(name)) {
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
    if (!field.is_null()) note_field(view, field, facts);
  }
  facts.cache_write_1h = holds(view.body, "\"cache_control\"") && holds(view.body, "\"1h\"");
  return facts;
}

}  // namespace tollgate::policies
