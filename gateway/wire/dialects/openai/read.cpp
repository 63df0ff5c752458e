// The shallow look at a request: what routing, limits and the relay need. Messages stay text.
#include <algorithm>

#include "gateway/wire/dialects/openai/openai.hpp"

namespace tollgate::wire::openai {
namespace {

constexpr std::int64_t choices_max = 128;
constexpr std::size_t inputs_max = 2048;

/// It stands in errors, logs and upstream requests: nothing there may be as long as a body.
constexpr std::size_t model_bytes_max = 512;

Result<void> read_model(const Node& node, RequestView& view) {
  if (auto done = read(node, view.model); !done) return done;
  if (view.model.empty()) return bad_value(node, "expected the name of a model");
  if (view.model.size() > model_bytes_max) {
    return bad_value(node, "expected at most 512 bytes");
  }
  return {};
}

Result<void> read_stream_options(const Node& node, RequestView& view) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  return read_member(node, "include_usage", view.include_usage);
}

Result<void> read_n(const Node& node, RequestView& view) {
  std::int64_t n = 1;
  if (auto done = read(node, n); !done) return done;
  if (n < 1 || n > choices_max) return bad_value(node, "expected an integer from 1 to 128");
  view.n = static_cast<std::uint32_t>(n);
  return {};
}

/// Both names of the limit may be sent; whoever reserves tokens must assume the larger.
Result<void> read_max_tokens(const Node& node, RequestView& view) {
  std::int64_t limit = 0;
  if (auto done = read(node, limit); !done) return done;
  // Completions may ask for none: they then only score the prompt.
  const std::int64_t least = view.endpoint == Endpoint::completions ? 0 : 1;
  if (limit < least) {
    return bad_value(node, "expected an integer of at least " + std::to_string(least));
  }
  view.max_tokens = std::max(limit, view.max_tokens.value_or(limit));
  return {};
}

/// `user` wins over its successor, whichever stands first.
Result<void> read_user(const Node& node, RequestView& view) { return read(node, view.user); }
Result<void> read_safety_identifier(const Node& node, RequestView& view) {
  std::string identifier;
  if (auto done = read(node, identifier); !done) return done;
  const bool has_user = view.shape.find("user") != nullptr;
  if (!has_user) view.user = std::move(identifier);
  return {};
}

Result<void> read_encoding(const Node& node, RequestView& view) {
  std::string encoding;
  if (auto done = read(node, encoding); !done) return done;
  if (encoding != "float" && encoding != "base64") {
    return bad_value(node, "supported values are 'float' and 'base64'");
  }
  view.base64 = encoding == "base64";
  return {};
}

/// Looks at no element, which may be long.
bool is_empty_array(std::string_view json) {
  JsonCursor cursor(json);
  const bool array = cursor.take('[');
  cursor.space();
  return array && cursor.take(']');
}

Result<void> check_messages(const Node& node, RequestView&) {
  if (node.kind() != JsonKind::array) return wrong_type(node, "an array of objects");
  if (is_empty_array(node.text)) {
    return bad_value(node, "expected an array with at least one message");
  }
  return {};
}

Result<void> check_prompt(const Node& node, RequestView&) {
  const JsonKind kind = node.kind();
  if (kind != JsonKind::string && kind != JsonKind::array) {
    return wrong_type(node, "a string or an array");
  }
  if (kind == JsonKind::array && is_empty_array(node.text)) {
    return bad_value(node, "expected at least one prompt");
  }
  return {};
}

Result<void> check_input_item(const Node& item, JsonKind kind) {
  if (item.kind() != kind) return wrong_type(item, "items that are all of one kind");
  if (item.text == "\"\"") return bad_value(item, "input cannot be an empty string");
  if (kind == JsonKind::array && is_empty_array(item.text)) {
    return bad_value(item, "input cannot be an empty array");
  }
  return {};
}

Result<void> check_inputs(const Node& node) {
  JsonElements first(node.text);
  if (!first.next()) return bad_value(node, "expected at least one input");
  const JsonKind kind = json_kind(first.value());
  if (kind != JsonKind::string && kind != JsonKind::array && kind != JsonKind::number) {
    return wrong_type(node.element(0, first.value()), "a string or tokens");
  }
  std::size_t count = 0;
  auto done = read_array(node, "an array", [&](const Node& item) {
    ++count;
    return check_input_item(item, kind);
  });
  if (!done) return done;
  // A flat array of numbers is one text in tokens; its length is the provider's to judge.
  if (kind != JsonKind::number && count > inputs_max) {
    return bad_value(node, "expected at most 2048 inputs");
  }
  return {};
}

Result<void> check_input(const Node& node, RequestView&) {
  switch (node.kind()) {
    case JsonKind::string:
      return check_input_item(node, JsonKind::string);
    case JsonKind::array:
      return check_inputs(node);
    default:
      return wrong_type(node, "a string or an array");
  }
}

using ViewRule = Rule<RequestView>;
constexpr std::array chat_rules{
    ViewRule{"model", read_model},
    ViewRule{"messages", check_messages},
    ViewRule{"stream", into<&RequestView::stream>},
    ViewRule{"stream_options", read_stream_options},
    ViewRule{"n", read_n},
    ViewRule{"max_tokens", read_max_tokens},
    ViewRule{"max_completion_tokens", read_max_tokens},
    ViewRule{"user", read_user},
    ViewRule{"safety_identifier", read_safety_identifier},
};
constexpr std::array completion_rules{
    ViewRule{"model", read_model},
    ViewRule{"prompt", check_prompt},
    ViewRule{"stream", into<&RequestView::stream>},
    ViewRule{"stream_options", read_stream_options},
    ViewRule{"n", read_n},
    ViewRule{"max_tokens", read_max_tokens},
    ViewRule{"user", read_user},
    ViewRule{"safety_identifier", read_safety_identifier},
};
constexpr std::array embedding_rules{
    ViewRule{"model", read_model},
    ViewRule{"input", check_input},
    ViewRule{"encoding_format", read_encoding},
    ViewRule{"user", read_user},
    ViewRule{"safety_identifier", read_safety_identifier},
};

template <std::size_t N>
Result<void> apply(const std::array<ViewRule, N>& rules, RequestView& view) {
  for (const JsonField& field : view.shape.fields()) {
    const ViewRule* rule = field.is_null() ? nullptr : find_rule(rules, field.name);
    if (rule == nullptr) continue;
    if (auto done = rule->read({field.value, nullptr, field.name}, view); !done) return done;
  }
  return {};
}

Result<void> apply_rules(RequestView& view) {
  switch (view.endpoint) {
    case Endpoint::completions:
      return apply(completion_rules, view);
    case Endpoint::embeddings:
      return apply(embedding_rules, view);
    default:
      return apply(chat_rules, view);
  }
}

std::string_view required_beside_model(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::completions:
      return "prompt";
    case Endpoint::embeddings:
      return "input";
    default:
      return "messages";
  }
}

/// What the view says beside its shape.
Result<void> fill(RequestView& view) {
  for (const std::string_view name :
       {std::string_view("model"), required_beside_model(view.endpoint)}) {
    if (view.shape.find(name) == nullptr) return missing(Node{view.body}, name);
  }
  if (auto done = apply_rules(view); !done) return done;
  view.legacy_functions =
      view.shape.find("tools") == nullptr &&
      (view.shape.find("functions") != nullptr || view.shape.find("function_call") != nullptr);
  return {};
}

}  // namespace

Result<RequestView> read_request(Endpoint endpoint, std::string_view body) {
  auto shape = JsonShape::read(body, json_depth_max, "cache_control");
  if (!shape) return std::unexpected(shape.error());
  Result<RequestView> made;  // filled where it is returned: there is much to move
  made->endpoint = endpoint;
  made->body = body;
  made->shape = std::move(*shape);
  if (auto done = fill(*made); !done) made = std::unexpected(done.error());
  return made;
}

}  // namespace tollgate::wire::openai
