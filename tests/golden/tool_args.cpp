#include "tests/golden/tool_args.hpp"

#include <cstdlib>
#include <iostream>
#include <iterator>

#include "gateway/wire/json_shape.hpp"

namespace tollgate::golden {

Args::Args(int count, char** values) {
  for (int i = 1; i < count; ++i) {
    std::string name = values[i];
    if (!name.starts_with("--")) die("unexpected argument: " + name);
    name.erase(0, 2);
    const bool bare = i + 1 == count || std::string_view(values[i + 1]).starts_with("--");
    values_[name] = bare ? "1" : values[++i];
  }
}

std::string Args::text(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

bool Args::flag(const std::string& name) const {
  const std::string value = text(name, "0");
  return value == "1" || value == "true";
}

int Args::number(const std::string& name, int otherwise) const {
  const std::string value = text(name);
  return value.empty() ? otherwise : std::atoi(value.c_str());
}

void die(const std::string& why) {
  std::cerr << why << "\n";
  std::exit(1);
}

std::string read_stdin() {
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

const routing::Provider& provider_of(const Args& args) {
  const routing::Provider* found = routing::find_provider(args.text("kind"));
  if (found == nullptr) die("no such --kind: " + args.text("kind"));
  return *found;
}

Endpoint endpoint_of(const Args& args) {
  const std::string name = args.text("endpoint", "chat");
  if (name == "chat") return Endpoint::chat;
  if (name == "completions") return Endpoint::completions;
  if (name == "embeddings") return Endpoint::embeddings;
  die("no such --endpoint: " + name);
}

HeaderFields headers_of(const Args& args) {
  HeaderFields headers;
  const std::string json = args.text("headers", "{}");
  const auto shape = wire::JsonShape::read(json);
  if (!shape) die("--headers: " + shape.error().message);
  for (const wire::JsonField& field : shape->fields()) {
    const auto value = wire::json_string(field.value);
    if (!value) die("--headers: values must be strings");
    headers.add(field.name, *value);
  }
  return headers;
}

ResponseHead head_of(const Args& args) {
  ResponseHead head;
  head.status = args.number("status", 200);
  head.headers = headers_of(args);
  const std::string type = args.text("content-type");
  if (!type.empty()) head.headers.add("content-type", type);
  return head;
}

routing::DecodeHints hints_of(const Args& args) {
  routing::DecodeHints hints;
  hints.endpoint = endpoint_of(args);
  hints.stream = args.flag("stream");
  hints.relay = args.flag("relay");
  hints.base64 = args.flag("base64");
  hints.json_tool_name = args.text("json-tool");
  hints.json_tool = !hints.json_tool_name.empty();
  hints.model = args.text("model");
  return hints;
}

}  // namespace tollgate::golden
