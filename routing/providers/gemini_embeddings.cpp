// Embeddings: one `batchEmbedContents` for all inputs. The reply has vectors in the order of the
// inputs and no usage.
#include <algorithm>
#include <array>
#include <cstring>

#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_view.hpp"
#include "gateway/wire/json_walk.hpp"
#include "gateway/wire/json_writer.hpp"
#include "routing/providers/forbidden_fields.hpp"
#include "routing/providers/gemini.hpp"

namespace tollgate::routing::gemini {
namespace {

/// What Google takes in one batch.
constexpr std::size_t inputs_max = 100;

struct Extension {
  std::string_view client, gemini;
};
constexpr std::array extensions{Extension{"task_type", "taskType"},
                                Extension{"taskType", "taskType"}, Extension{"title", "title"}};

/// Members that every item of the batch repeats, as `,"name":value`.
Result<std::string> shared_members(const EmbeddingRequest& request, Encoded& encoded) {
  std::string out;
  if (request.dimensions) {
    out += ",\"outputDimensionality\":" + std::to_string(*request.dimensions);
  }
  std::vector<std::string_view> written;
  for (const auto& [name, json] : request.other) {
    if (json == "null" || is_ignored_field(name)) continue;
    const auto extension = std::ranges::find(extensions, name, &Extension::client);
    if (extension == extensions.end()) {
      encoded.dropped.push_back(name);
      continue;
    }
    if (wire::json_kind(json) != wire::JsonKind::string) {
      return fail(ErrorKind::invalid_request, "'" + name + "' must be a string", name);
    }
    if (std::ranges::find(written, extension->gemini) != written.end()) continue;
    written.push_back(extension->gemini);
    out += ",\"" + std::string(extension->gemini) + "\":" + json;
  }
  return out;
}

std::string body_of(const EmbeddingRequest& request, std::string_view model,
                    std::string_view shared) {
  std::string out = "{\"requests\":[";
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    out += i == 0 ? "{\"model\":" : ",{\"model\":";
    wire::append_quoted(out, model);
    out += ",\"content\":{\"parts\":[{\"text\":";
    wire::append_quoted(out, request.inputs[i]);
    out += "}]}";
    out += shared;
    out += '}';
  }
  out += "]}";
  return out;
}

Result<void> check_inputs(const EmbeddingRequest& request) {
  if (!request.token_inputs.empty()) {
    return fail(ErrorKind::unsupported_parameter,
                "Gemini embeds text; it cannot read another model's tokens", "input");
  }
  if (request.inputs.size() > inputs_max) {
    return fail(ErrorKind::unsupported_parameter, "Gemini embeds at most 100 inputs in one request",
                "input");
  }
  return {};
}

/// Collects the reply whole: vectors cannot be judged in parts.
class EmbeddingsDecoder final : public ReplyDecoder {
 public:
  EmbeddingsDecoder(const ResponseHead& head, const DecodeHints& hints)
      : status_(head.status), headers_(head.headers), model_(hints.model) {}

  Result<void> feed(const std::shared_ptr<Block>&, std::string_view bytes, Batch&) override {
    body_ += bytes;
    return {};
  }

  Result<void> finish(Batch& out) override {
    if (status_ >= 400) return std::unexpected(read_error(status_, headers_, body_));
    const auto shape = wire::JsonShape::read(body_);
    if (!shape) return fail(ErrorKind::stream_cut, "the provider's reply is no whole JSON");
    const wire::JsonView reply(trimmed(body_));
    if (reply["error"]) return std::unexpected(read_error(0, headers_, body_));
    out.begin_frame({});
    out.push(Started{{}, out.store(model_), 0});
    std::uint32_t index = 0;
    for (const wire::JsonView& item : reply["embeddings"].items()) {
      const auto floats = read_floats(item["values"]);
      if (!floats) return std::unexpected(floats.error());
      out.push(Embedding{index++, out.store(*floats)});
    }
    if (index == 0) return fail(ErrorKind::upstream_error, "the provider's reply has no vectors");
    if (const auto tokens = reply["usageMetadata"]["promptTokenCount"].count()) {
      Usage usage;
      usage.input = *tokens;
      out.push(UsageEvent{usage});
    }
    out.push(Ended{});
    return {};
  }

 private:
  static std::string_view trimmed(std::string_view text) {
    const auto begin = text.find('{');
    return begin == std::string_view::npos ? text : text.substr(begin);
  }

  static Result<std::string> read_floats(const wire::JsonView& values) {
    std::string bytes;
    for (const wire::JsonView& value : values.items()) {
      const auto number = wire::json_double(value.text());
      if (!number) return fail(ErrorKind::upstream_error, "a vector of the reply is no numbers");
      const auto narrow = static_cast<float>(*number);
      char raw[sizeof narrow];
      std::memcpy(raw, &narrow, sizeof narrow);
      bytes.append(raw, sizeof raw);
    }
    return bytes;
  }

  int status_;
  const HeaderFields& headers_;
  std::string model_, body_;
};

}  // namespace

Result<Encoded> encode_embeddings(const wire::RequestView& view, const Target& target,
                                  const EncodeContext& context) {
  if (auto allowed = check_forbidden_fields(view.shape, *target.provider); !allowed) {
    return std::unexpected(allowed.error());
  }
  const auto asked = view.embedding();
  if (!asked) return std::unexpected(asked.error());
  const EmbeddingRequest& request = **asked;
  if (auto fits = check_inputs(request); !fits) return std::unexpected(fits.error());
  auto http = method_request(target, context, "batchEmbedContents");
  if (!http) return std::unexpected(http.error());
  Encoded encoded;
  const auto shared = shared_members(request, encoded);
  if (!shared) return std::unexpected(shared.error());
  if (!request.user.empty()) encoded.dropped.emplace_back("user");
  const std::string_view model = bare_model(target.model);
  encoded.request = std::move(*http);
  encoded.request.body.own(body_of(request, "models/" + std::string(model), *shared));
  encoded.hints.endpoint = view.endpoint;
  encoded.hints.base64 = request.base64;
  encoded.hints.model = model;
  if (auto kept = check_dropped(encoded, context); !kept) return std::unexpected(kept.error());
  return encoded;
}

std::unique_ptr<ReplyDecoder> embeddings_decoder(const ResponseHead& head,
                                                 const DecodeHints& hints) {
  return std::make_unique<EmbeddingsDecoder>(head, hints);
}

}  // namespace tollgate::routing::gemini
