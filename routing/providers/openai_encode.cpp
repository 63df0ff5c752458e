// The openai encode: a relay. The client's bytes go upstream; spliced in are the upstream model, a
// model's defaults, and the request for usage that accounting needs.
#include <array>

#include "gateway/wire/json_writer.hpp"
#include "routing/providers/body_edit.hpp"
#include "routing/providers/forbidden_fields.hpp"
#include "routing/providers/openai.hpp"

namespace tollgate::routing::openai {
namespace {

using wire::JsonShape;
using wire::RequestView;

std::string quoted(std::string_view text) {
  std::string json;
  wire::append_quoted(json, text);
  return json;
}

std::string_view path_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::completions:
      return "/completions";
    case Endpoint::embeddings:
      return "/embeddings";
    default:
      return "/chat/completions";
  }
}

/// `stream_options` with include_usage true; empty: `json` says so already, or is no object and the
/// provider shall refuse it.
std::string with_usage(std::string_view json) {
  if (json.empty() || json == "null") return R"({"include_usage":true})";
  const auto shape = JsonShape::read(json);
  if (!shape) return {};
  const wire::JsonField* asked = shape->find("include_usage");
  if (asked != nullptr && asked->value == "true") return {};
  BodyEdit edit(json, *shape);
  edit.set("include_usage", "true");
  return edit.pieces().joined();
}

/// Two names for one limit: a default under the other name would be refused as a contradiction.
constexpr std::array<std::string_view, 2> limit_names{"max_tokens", "max_completion_tokens"};

bool is_limit(std::string_view name) { return name == limit_names[0] || name == limit_names[1]; }

bool limit_given(const RequestView& view) {
  return view.shape.find(limit_names[0]) != nullptr || view.shape.find(limit_names[1]) != nullptr;
}

void set_defaults(const RequestView& view, BodyEdit& edit) {
  for (const RawField* field : view.missing_defaults()) {
    if (is_limit(field->first) && (view.set_limit() || limit_given(view))) continue;
    edit.set(field->first, field->second);
  }
}

/// A limit that a budget asks for, under the names that the client used; where it used none, under
/// the one that the target obeys: OpenAI's reasoning models refuse `max_tokens`, compatible servers
/// may not know the newer name.
void set_limit(const RequestView& view, const Target& target, BodyEdit& edit) {
  if (!view.set_limit()) return;
  const std::string limit = std::to_string(*view.output_limit());
  bool sent = false;
  for (const std::string_view name : limit_names) {
    const wire::JsonField* field = edit.find(name);
    if (field == nullptr || field->is_null()) continue;
    if (field->value != limit) edit.set(name, limit);
    sent = true;
  }
  if (sent) return;
  const bool newer = target.provider->own_host && view.endpoint == Endpoint::chat;
  edit.set(limit_names[newer ? 1 : 0], limit);
}

/// Usage is always asked for: the books need it. The encoder leaves out what the client did not
/// ask for.
void ask_for_usage(const RequestView& view, BodyEdit& edit) {
  if (!view.stream || view.endpoint == Endpoint::embeddings) return;
  std::string_view given;
  if (const wire::JsonField* field = view.shape.find("stream_options")) given = field->value;
  for (const RawField* field : view.missing_defaults()) {
    if (field->first == "stream_options") given = field->second;
  }
  std::string options = with_usage(given);
  if (!options.empty()) edit.set("stream_options", std::move(options));
}

/// Vectors are asked for as numbers and packed here: servers that ignore `base64` are common, and
/// none takes null.
void ask_for_floats(const RequestView& view, BodyEdit& edit) {
  if (view.endpoint != Endpoint::embeddings) return;
  const wire::JsonField* format = edit.find("encoding_format");
  if (view.base64 || (format != nullptr && format->is_null())) {
    edit.set("encoding_format", R"("float")");
  }
}

Pieces splice(const RequestView& view, const Target& target) {
  BodyEdit edit(view.body, view.shape);
  if (view.model != target.model) edit.set("model", quoted(target.model));
  for (std::string_view name : ignored_fields)
    edit.remove(name);
  set_defaults(view, edit);
  set_limit(view, target, edit);
  ask_for_usage(view, edit);
  ask_for_floats(view, edit);
  return edit.pieces();
}

HeaderFields headers_for(const RequestView& view, std::string_view api_key) {
  HeaderFields headers;
  headers.reserve(8, 256);
  if (!api_key.empty()) {
    headers.add("authorization", "Bearer ");
    headers.extend_last(api_key);
  }
  headers.add("content-type", "application/json");
  headers.add("accept", view.stream ? "text/event-stream" : "application/json");
  headers.add("accept-encoding", "identity");
  return headers;
}

}  // namespace

Result<Encoded> encode_relay(const RequestView& view, const Target& target,
                             const EncodeContext& context) {
  auto allowed = check_forbidden_fields(view.shape, *target.provider);
  if (!allowed) return std::unexpected(allowed.error());
  Result<Encoded> made;  // built where it is returned: there is much to move
  Encoded& encoded = *made;
  const std::string_view base = target.provider->address.base_path, path = path_of(view.endpoint);
  encoded.request.target.reserve(base.size() + path.size());
  encoded.request.target.append(base).append(path);
  encoded.request.headers = headers_for(view, context.api_key);
  encoded.request.body = splice(view, target);
  encoded.hints.endpoint = view.endpoint;
  encoded.hints.stream = view.stream;
  encoded.hints.base64 = view.base64;
  // Vectors that the client wants packed are rendered anew.
  encoded.hints.relay = !(view.endpoint == Endpoint::embeddings && view.base64);
  encoded.hints.model = target.model;
  encoded.hints.id_seed = context.request_id;
  return made;
}

}  // namespace tollgate::routing::openai
