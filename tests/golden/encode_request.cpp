// encode_request: reads a client's request from stdin through the openai_chat dialect, encodes it
// for a provider and prints the upstream request, or the error that the client would get.
// Arguments: --kind, --endpoint, --model UPSTREAM, --api-key K, --refuse, --allow-fields a,b,
// --base-path PATH, --defaults JSON.
#include <iostream>
#include <sstream>

#include "gateway/wire/dialect.hpp"
#include "gateway/wire/json_writer.hpp"
#include "tests/golden/tool_args.hpp"

namespace tollgate::golden {
namespace {

using wire::JsonWriter;

int print_error(const Error& error) {
  std::string out;
  JsonWriter w(out);
  w.begin_object().key("error").begin_object();
  w.member("status", error.status).member("code", error.code).member("param", error.param);
  w.member("message", error.message).end_object().end_object();
  std::cout << out << "\n";
  return 0;
}

/// "https://api.openai.com/v1" -> "/v1".
std::string path_of(std::string_view url) {
  const auto host = url.find("://");
  const auto slash = url.find('/', host == std::string_view::npos ? 0 : host + 3);
  return slash == std::string_view::npos ? std::string() : std::string(url.substr(slash));
}

routing::Target target_of(const Args& args) {
  auto entry = std::make_shared<routing::ProviderEntry>();
  entry->codec = &provider_of(args);
  entry->name = entry->kind = entry->codec->kind();
  entry->address.host = "upstream.example";
  entry->address.base_path = args.text("base-path", path_of(entry->codec->default_base_url()));
  std::istringstream names(args.text("allow-fields"));
  for (std::string name; std::getline(names, name, ',');)
    entry->allow_fields.push_back(name);
  return {entry, args.text("model", "upstream-model"), 1};
}

std::vector<RawField> defaults_of(const Args& args) {
  std::vector<RawField> defaults;
  const std::string json = args.text("defaults", "{}");
  const auto shape = wire::JsonShape::read(json);
  if (!shape) die("--defaults: " + shape.error().message);
  for (const wire::JsonField& field : shape->fields())
    defaults.emplace_back(field.name, field.value);
  return defaults;
}

void print_hints(JsonWriter& w, const routing::DecodeHints& hints) {
  w.key("hints").begin_object();
  w.member("endpoint", to_string(hints.endpoint)).member("stream", hints.stream);
  w.member("relay", hints.relay).member("json_tool", hints.json_tool);
  w.member("json_tool_name", hints.json_tool_name).member("base64", hints.base64);
  w.member("model", hints.model).end_object();
}

int print_request(const routing::Encoded& encoded) {
  std::string out;
  JsonWriter w(out);
  w.begin_object().member("method", encoded.request.method);
  w.member("target", encoded.request.target).key("headers").begin_object();
  for (const auto& [name, value] : encoded.request.headers)
    w.member(name, value);
  w.end_object().member("body", encoded.request.body.joined()).key("dropped").begin_array();
  for (const std::string& name : encoded.dropped)
    w.value(name);
  w.end_array();
  print_hints(w, encoded.hints);
  w.end_object();
  std::cout << out << "\n";
  return 0;
}

int encode(const Args& args) {
  const routing::Target target = target_of(args);
  const auto defaults = defaults_of(args);
  const std::string body = read_stdin(), key = args.text("api-key", "test-key");
  auto view = wire::openai_chat().read(endpoint_of(args), body);
  if (!view) return print_error(view.error());
  view->set_defaults(&defaults);
  routing::EncodeContext context;
  context.api_key = key;
  context.request_id = "req-golden";
  context.now = SystemTime(std::chrono::seconds(1700000000));
  context.refuse_unsupported = args.flag("refuse");
  const auto encoded = target.provider->codec->encode(*view, target, context);
  return encoded ? print_request(*encoded) : print_error(encoded.error());
}

}  // namespace
}  // namespace tollgate::golden

int main(int count, char** values) {
  return tollgate::golden::encode(tollgate::golden::Args(count, values));
}
