// The conversation: OpenAI's flat list of messages as Gemini's system instruction and turns.
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "gateway/wire/json_shape.hpp"
#include "routing/providers/gemini_media.hpp"
#include "routing/providers/gemini_request.hpp"
#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::gemini {
namespace {

/// One turn; its parts are JSON already.
struct Content {
  std::string_view role;
  bool results = false;  ///< holds function responses, with which nothing else is merged
  std::vector<std::string> parts;
};

/// Google's documented stand-in for a signature that the client has lost.
constexpr std::string_view no_signature = "skip_thought_signature_validator";
/// A turn may not be empty, and a conversation must open with the user's.
constexpr std::string_view blank = " ";

std::string text_part(std::string_view text) {
  std::string out;
  wire::JsonWriter(out).begin_object().member("text", text).end_object();
  return out;
}

/// The text of a message as one string; its other parts are left out.
std::string joined_text(const Message& message) {
  std::string text;
  for (const Part& part : message.content) {
    if (const auto* said = std::get_if<TextPart>(&part.value)) text += said->text;
    if (const auto* refused = std::get_if<RefusalPart>(&part.value)) text += refused->text;
  }
  return text;
}

bool is_object(std::string_view json) { return wire::JsonShape::read(json).has_value(); }

/// Gemini's `args` is an object; whatever else stands there is kept under one name.
std::string arguments_object(const ToolCall& call) {
  if (!call.custom) {
    if (call.arguments.find_first_not_of(" \t\r\n") == std::string::npos) return "{}";
    if (call.arguments == "null") return "{}";
    if (is_object(call.arguments)) return call.arguments;
  }
  std::string out;
  wire::JsonWriter(out)
      .begin_object()
      .member(call.custom ? "input" : "arguments", call.arguments)
      .end_object();
  return out;
}

/// Gemini's `response` is an object; a text goes under `output`, a failure under `error`.
std::string response_object(const Message& result) {
  const std::string text = joined_text(result);
  if (!result.is_error && is_object(text)) return text;
  std::string out;
  wire::JsonWriter(out)
      .begin_object()
      .member(result.is_error ? "error" : "output", text)
      .end_object();
  return out;
}

class Conversation {
 public:
  explicit Conversation(Draft& draft) : draft_(draft), messages_(draft.request.messages) {
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      if (messages_[i].role == Role::user) last_user_ = i;
    }
  }

  Result<void> read() {
    for (std::size_t i = 0; i < messages_.size();) {
      const auto next = read_from(i);
      if (!next) return std::unexpected(next.error());
      i = *next;
    }
    if (contents_.empty() || contents_.front().role != "user") {
      contents_.insert(contents_.begin(), Content{"user", false, {text_part(blank)}});
    }
    if (!draft_.traits.system_instruction && !system_.empty()) {
      auto& first = contents_.front().parts;
      first.insert(first.begin(), text_part(system_));
      system_.clear();
    }
    return {};
  }

  void write() const {
    auto& json = draft_.json;
    if (!system_.empty()) {
      json.key("systemInstruction").begin_object().key("parts").begin_array();
      json.raw(text_part(system_)).end_array().end_object();
    }
    json.key("contents").begin_array();
    for (const Content& content : contents_) {
      json.begin_object().member("role", content.role).key("parts").begin_array();
      for (const std::string& part : content.parts)
        json.raw(part);
      json.end_array().end_object();
    }
    json.end_array();
  }

 private:
  /// Reads the message at `index`, or the run of tool results there; answers where to go on.
  Result<std::size_t> read_from(std::size_t index) {
    Result<void> done;
    switch (messages_[index].role) {
      case Role::system:
      case Role::developer:
        done = read_system(index);
        break;
      case Role::user:
        done = read_user(index);
        break;
      case Role::assistant:
        done = read_assistant(index);
        break;
      case Role::tool:
        return read_results(index);
    }
    if (!done) return std::unexpected(done.error());
    return index + 1;
  }

  Result<void> read_system(std::size_t index) {
    for (const Part& part : messages_[index].content) {
      note_hints(part);
      if (std::holds_alternative<TextPart>(part.value)) continue;
      return fail(ErrorKind::unsupported_parameter, "Gemini takes text only as instructions",
                  message_param(index, "content"));
    }
    const std::string text = joined_text(messages_[index]);
    if (text.empty()) return {};
    if (!system_.empty()) system_ += "\n\n";
    system_ += text;
    return {};
  }

  Result<void> read_user(std::size_t index) {
    std::vector<std::string> parts;
    if (auto read = read_parts(index, parts); !read) return read;
    if (!messages_[index].name.empty()) draft_.drop("messages.name");
    add("user", std::move(parts));
    return {};
  }

  /// Reasoning and thinking blocks stay behind: their signatures are another provider's, and text
  /// without one means nothing to Gemini.
  Result<void> read_assistant(std::size_t index) {
    const Message& message = messages_[index];
    std::vector<std::string> parts;
    if (auto read = read_parts(index, parts); !read) return read;
    order_.clear();
    const bool unsigned_calls = std::ranges::all_of(
        message.tool_calls, [](const ToolCall& call) { return call.signature.empty(); });
    for (const ToolCall& call : message.tool_calls) {
      const bool first = order_.empty();
      const bool current = !last_user_ || index > *last_user_;
      const bool stand_in = draft_.traits.needs_signatures && current && first && unsigned_calls;
      parts.push_back(call_part(call, stand_in ? no_signature : call.signature));
      names_[call.id] = call.name;
      order_.emplace(call.id, order_.size());
    }
    add("model", std::move(parts));
    return {};
  }

  std::string call_part(const ToolCall& call, std::string_view signature) {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().key("functionCall").begin_object();
    if (draft_.traits.call_ids && !call.id.empty()) json.member("id", call.id);
    json.member("name", draft_.names.sent(call.name)).raw_member("args", arguments_object(call));
    json.end_object();
    const bool signs = draft_.traits.needs_signatures || draft_.traits.thinking != Thinking::none;
    if (signs && !signature.empty()) json.member("thoughtSignature", signature);
    json.end_object();
    return out;
  }

  /// All results that follow each other are one turn, in the order of the calls: Gemini counts
  /// responses against calls, and before ids it matched them by place.
  Result<std::size_t> read_results(std::size_t index) {
    std::vector<std::tuple<std::size_t, std::size_t, std::string>> results;  // place, arrival
    std::vector<std::string> media;
    for (; index < messages_.size() && messages_[index].role == Role::tool; ++index) {
      const Message& result = messages_[index];
      const auto name = result_name(result);
      if (!name) {
        return fail(ErrorKind::invalid_request, "the tool result answers no earlier tool call",
                    message_param(index, "tool_call_id"));
      }
      const auto place = order_.find(result.tool_call_id);
      results.emplace_back(place == order_.end() ? order_.size() : place->second, index,
                           response_part(result, *name));
      if (auto read = read_parts(index, media); !read) return std::unexpected(read.error());
    }
    std::ranges::sort(results);
    Content content{"user", true, {}};
    for (auto& [place, arrival, part] : results)
      content.parts.push_back(std::move(part));
    contents_.push_back(std::move(content));
    if (!media.empty()) contents_.push_back({"user", false, std::move(media)});
    return index;
  }

  [[nodiscard]] std::optional<std::string> result_name(const Message& result) const {
    const auto known = names_.find(result.tool_call_id);
    if (known != names_.end()) return known->second;
    // The deprecated `function` role names its function and has no id.
    if (!result.name.empty()) return result.name;
    return std::nullopt;
  }

  std::string response_part(const Message& result, std::string_view name) {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().key("functionResponse").begin_object();
    if (draft_.traits.call_ids && !result.tool_call_id.empty()) {
      json.member("id", result.tool_call_id);
    }
    json.member("name", draft_.names.sent(name)).raw_member("response", response_object(result));
    json.end_object().end_object();
    return out;
  }

  /// The message's parts as JSON, in order. Of a tool result only the pictures: they follow it as a
  /// turn of the user's own.
  Result<void> read_parts(std::size_t index, std::vector<std::string>& parts) {
    const std::string param = message_param(index, "content");
    const bool result = messages_[index].role == Role::tool;
    for (const Part& part : messages_[index].content) {
      note_hints(part);
      if (result && std::holds_alternative<TextPart>(part.value)) continue;
      auto json = part_json(part, param);
      if (!json) return std::unexpected(json.error());
      if (!json->empty()) parts.push_back(std::move(*json));
    }
    return {};
  }

  /// The part as JSON; nothing for an empty text, which Gemini refuses.
  static Result<std::string> part_json(const Part& part, std::string_view param) {
    if (const auto* said = std::get_if<TextPart>(&part.value)) {
      return said->text.empty() ? std::string() : text_part(said->text);
    }
    if (const auto* refused = std::get_if<RefusalPart>(&part.value)) {
      return refused->text.empty() ? std::string() : text_part(refused->text);
    }
    if (const auto* image = std::get_if<ImagePart>(&part.value)) return image_part(*image, param);
    if (const auto* audio = std::get_if<AudioPart>(&part.value)) return audio_part(*audio);
    return file_part(std::get<FilePart>(part.value), param);
  }

  void note_hints(const Part& part) {
    if (!part.cache_control_json.empty()) draft_.drop("messages.cache_control");
    const auto* image = std::get_if<ImagePart>(&part.value);
    if (image && !image->detail.empty() && image->detail != "auto") {
      draft_.drop("messages.image_url.detail");
    }
  }

  /// Turns of one role in a row are one turn; function responses stay by themselves.
  void add(std::string_view role, std::vector<std::string> parts) {
    if (parts.empty()) return;
    if (contents_.empty() || contents_.back().role != role || contents_.back().results) {
      contents_.push_back({role, false, std::move(parts)});
      return;
    }
    auto& last = contents_.back().parts;
    std::ranges::move(parts, std::back_inserter(last));
  }

  Draft& draft_;
  const std::vector<Message>& messages_;
  std::optional<std::size_t> last_user_;  ///< calls behind it belong to the current turn
  std::string system_;
  std::vector<Content> contents_;
  std::map<std::string, std::string, std::less<>> names_;  ///< call id -> the client's name
  std::map<std::string, std::size_t, std::less<>> order_;  ///< of the latest calls, by id
};

}  // namespace

std::string message_param(std::size_t index, std::string_view member) {
  return "messages[" + std::to_string(index) + "]." + std::string(member);
}

Result<void> write_conversation(Draft& draft) {
  // Declared tools come first, so that none of them loses its name to one in the history.
  for (const Tool& tool : draft.request.tools)
    draft.names.sent(tool.name);
  Conversation conversation(draft);
  if (auto read = conversation.read(); !read) return read;
  conversation.write();
  return {};
}

}  // namespace tollgate::routing::gemini
