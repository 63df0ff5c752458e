#include "gateway/wire/dialects/openai/values.hpp"

#include "gateway/wire/json_scan.hpp"
#include "gateway/wire/json_shape.hpp"

namespace tollgate::wire::openai {
namespace {

std::string_view kind_name(const Node& node) {
  switch (node.kind()) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "a boolean";
    case JsonKind::number:
      return json_int(node.text) ? "an integer" : "a number";
    case JsonKind::string:
      return "a string";
    case JsonKind::array:
      return "an array";
    case JsonKind::object:
      return "an object";
  }
  return "something else";
}

template <class T>
Result<void> assign(const Node& node, std::optional<T> value, std::string_view expected, T& out) {
  if (!value) return wrong_type(node, expected);
  out = std::move(*value);
  return {};
}

std::string quoted(const std::string& path) { return "'" + path + "'"; }

}  // namespace

std::optional<Node> Node::find(std::string_view member_name) const {
  const auto value = json_member(text, member_name);
  if (!value) return std::nullopt;
  return member(member_name, *value);
}

std::string Node::path() const {
  std::string path = parent == nullptr ? std::string() : parent->path();
  if (index) return path + "[" + std::to_string(*index) + "]";
  if (!path.empty() && !name.empty()) path += '.';
  return path.append(name);
}

std::unexpected<Error> wrong_type(const Node& node, std::string_view expected) {
  std::string path = node.path();
  std::string message = "Invalid type for " + quoted(path) + ": expected ";
  message.append(expected).append(", but got ").append(kind_name(node)).append(" instead.");
  return fail(ErrorKind::invalid_request, std::move(message), std::move(path));
}

std::unexpected<Error> missing(const Node& parent, std::string_view name) {
  std::string path = parent.member(name, {}).path();
  return fail(ErrorKind::invalid_request, "Missing required parameter: " + quoted(path) + ".",
              path);
}

std::unexpected<Error> bad_value(const Node& node, std::string_view rule) {
  std::string path = node.path();
  std::string message = "Invalid value for " + quoted(path) + ": ";
  message.append(rule).append(".");
  return fail(ErrorKind::invalid_request, std::move(message), std::move(path));
}

std::unexpected<Error> bad_default(const Error& error) {
  Error ours = make_error(ErrorKind::internal, "A default of this model is not usable.");
  ours.detail = "defaults: " + error.message;
  return std::unexpected(std::move(ours));
}

Result<void> read(const Node& node, std::string& out) {
  if (node.kind() != JsonKind::string) return wrong_type(node, "a string");
  // Checked with the whole body: only its escapes are left to do.
  const std::string_view inner = node.text.substr(1, node.text.size() - 2);
  if (inner.find('\\') == std::string_view::npos) {
    out = inner;
  } else {
    out = json_unescape(inner);
  }
  return {};
}
Result<void> read(const Node& node, bool& out) {
  return assign(node, json_bool(node.text), "a boolean", out);
}
Result<void> read(const Node& node, std::int64_t& out) {
  return assign(node, json_int(node.text), "an integer", out);
}
Result<void> read(const Node& node, double& out) {
  return assign(node, json_double(node.text), "a number", out);
}
Result<void> read(const Node& node, std::vector<std::string>& out) {
  out.clear();
  return read_array(node, "an array of strings",
                    [&](const Node& element) { return read(element, out.emplace_back()); });
}

Result<void> read_raw_object(const Node& node, std::string& out) {
  if (node.kind() != JsonKind::object) return wrong_type(node, "an object");
  out = node.text;
  return {};
}

Result<Node> require(const Node& parent, std::string_view name) {
  auto node = parent.find(name);
  if (!node) return missing(parent, name);
  return *node;
}

}  // namespace tollgate::wire::openai
