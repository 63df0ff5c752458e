// Message content: a plain string or a list of parts, and the reasoning blocks that clients send
// back.
#include "gateway/wire/dialects/openai/openai.hpp"

namespace tollgate::wire::openai {
namespace {

Result<void> read_text(const Node& node, Message& out) {
  TextPart part;
  if (auto done = need_member(node, "text", part.text); !done) return done;
  out.content.push_back({std::move(part), {}});
  return {};
}

Result<void> read_refusal(const Node& node, Message& out) {
  RefusalPart part;
  if (auto done = need_member(node, "refusal", part.text); !done) return done;
  out.content.push_back({std::move(part), {}});
  return {};
}

/// Many clients send the URL as a plain string; there is no doubt what they mean.
Result<void> read_image(const Node& node, Message& out) {
  const auto image = require(node, "image_url");
  if (!image) return std::unexpected(image.error());
  ImagePart part;
  if (image->kind() == JsonKind::string) {
    if (auto done = read(*image, part.url); !done) return done;
  } else {
    if (image->kind() != JsonKind::object) return wrong_type(*image, "an object");
    if (auto done = need_member(*image, "url", part.url); !done) return done;
    if (auto done = read_member(*image, "detail", part.detail); !done) return done;
  }
  if (part.url.empty()) return bad_value(*image, "expected a URL or a base64 data URL");
  out.content.push_back({std::move(part), {}});
  return {};
}

Result<void> read_audio(const Node& node, Message& out) {
  const auto audio = require(node, "input_audio");
  if (!audio) return std::unexpected(audio.error());
  if (audio->kind() != JsonKind::object) return wrong_type(*audio, "an object");
  AudioPart part;
  if (auto done = need_member(*audio, "data", part.data); !done) return done;
  if (auto done = need_member(*audio, "format", part.format); !done) return done;
  out.content.push_back({std::move(part), {}});
  return {};
}

constexpr std::array file_rules{
    Rule<FilePart>{"file_data", into<&FilePart::data>},
    Rule<FilePart>{"file_id", into<&FilePart::file_id>},
    Rule<FilePart>{"filename", into<&FilePart::filename>},
};

Result<void> read_file(const Node& node, Message& out) {
  const auto file = require(node, "file");
  if (!file) return std::unexpected(file.error());
  FilePart part;
  if (auto done = read_object(*file, file_rules, part); !done) return done;
  if (part.data.empty() && part.file_id.empty()) return missing(*file, "file_data");
  out.content.push_back({std::move(part), {}});
  return {};
}

/// The last two are no part kinds of OpenAI's; clients that talk to Claude put blocks there.
constexpr std::array part_rules{
    Rule<Message>{"text", read_text},
    Rule<Message>{"image_url", read_image},
    Rule<Message>{"input_audio", read_audio},
    Rule<Message>{"file", read_file},
    Rule<Message>{"refusal", read_refusal},
    Rule<Message>{"thinking", read_thinking_block},
    Rule<Message>{"redacted_thinking", read_thinking_block},
};

Result<void> read_cache_control(const Node& node, std::size_t parts_before, Message& out) {
  const auto control = node.find("cache_control");
  if (!control || out.content.size() == parts_before) return {};
  return read_raw_object(*control, out.content.back().cache_control_json);
}

Result<void> read_part(const Node& node, Message& out) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  std::string type;
  if (auto done = need_member(node, "type", type); !done) return done;
  const Rule<Message>* rule = find_rule(part_rules, type);
  if (rule == nullptr) {
    return bad_value(
        node.member("type", {}),
        "supported values are 'text', 'image_url', 'input_audio', 'file' and 'refusal'");
  }
  const std::size_t parts_before = out.content.size();
  if (auto done = rule->read(node, out); !done) return done;
  return read_cache_control(node, parts_before, out);
}

}  // namespace

Result<void> read_content(const Node& node, Message& out) {
  out.content.clear();
  out.content_is_string = node.kind() == JsonKind::string;
  if (out.content_is_string) {
    auto& part = std::get<TextPart>(out.content.emplace_back().value);
    if (auto done = read(node, part.text); !done) return done;
    if (part.text.empty()) out.content.clear();
    return {};
  }
  return read_array(node, "a string or an array of objects",
                    [&](const Node& part) { return read_part(part, out); });
}

Result<void> read_thinking_block(const Node& node, Message& out) {
  static constexpr std::array rules{
      Rule<ThinkingBlock>{"thinking", into<&ThinkingBlock::text>},
      Rule<ThinkingBlock>{"signature", into<&ThinkingBlock::signature>},
      Rule<ThinkingBlock>{"data", into<&ThinkingBlock::redacted>},
  };
  return read_object(node, rules, out.thinking.emplace_back());
}

}  // namespace tollgate::wire::openai
