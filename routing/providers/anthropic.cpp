// Anthropic's Messages API (kind `anthropic`): the codec that the registry lists. The request side
// is in anthropic_body.cpp and what it calls, the reply side in anthropic_decode.cpp.
#include "routing/providers/anthropic_decode.hpp"
#include "routing/providers/anthropic_request.hpp"
#include "routing/providers/forbidden_fields.hpp"
#include "routing/providers/registry.hpp"

namespace tollgate::routing {
namespace {

constexpr std::string_view api_version = "2023-06-01";

/// base_url is the host and the version is added by us; one that has it already is taken too.
std::string target_of(const std::string& base_path, std::string_view what) {
  return base_path + (base_path.ends_with("/v1") ? "/" : "/v1/") + std::string(what);
}

/// Ours and the operator's in one list, as the API wants them: his own header follows ours on the
/// wire, and a server that reads only the first must still see every beta.
std::string betas_of(const anthropic::Notes& notes, const ProviderEntry& entry) {
  std::string list;
  for (const std::string& beta : notes.betas)
    list += (list.empty() ? "" : ",") + beta;
  for (const auto& [name, value] : entry.headers) {
    if (!list.empty() && iequals(name, "anthropic-beta")) list += "," + value;
  }
  return list;
}

HeaderFields headers_of(std::string_view api_key, std::string_view betas) {
  HeaderFields headers;
  headers.reserve(8, 256);
  headers.add("content-type", "application/json");
  headers.add("anthropic-version", api_version);
  if (!api_key.empty()) headers.add("x-api-key", api_key);
  if (!betas.empty()) headers.add("anthropic-beta", betas);
  return headers;
}

class Anthropic final : public Provider {
 public:
  [[nodiscard]] std::string_view kind() const override { return "anthropic"; }
  [[nodiscard]] std::string_view default_base_url() const override {
    return "https://api.anthropic.com";
  }
  [[nodiscard]] std::string_view otel_name() const override { return "anthropic"; }
  [[nodiscard]] bool supports(Endpoint endpoint) const override {
    return endpoint == Endpoint::chat;
  }
  [[nodiscard]] bool relays(std::string_view, Endpoint) const override { return false; }

  Result<Encoded> encode(const wire::RequestView& view, const Target& target,
                         const EncodeContext& context) const override {
    const ProviderEntry& entry = *target.provider;
    if (auto allowed = check_forbidden_fields(view.shape, entry); !allowed) {
      return std::unexpected(allowed.error());
    }
    const auto request = view.chat();
    if (!request) return std::unexpected(request.error());
    anthropic::Notes notes{.refuse = context.refuse_unsupported,
                           .limit_uses = view.set_limit().has_value()};
    auto body = anthropic::encode_body(**request, target.model, entry.allow_fields,
                                       view.body.size(), notes);
    if (!body) return std::unexpected(body.error());
    Encoded encoded;
    encoded.request.target = target_of(entry.address.base_path, "messages");
    encoded.request.headers = headers_of(context.api_key, betas_of(notes, entry));
    encoded.request.body.own(std::move(body->json));
    encoded.dropped = std::move(notes.dropped);
    encoded.hints.stream = view.stream;
    encoded.hints.model = target.model;
    encoded.hints.json_tool = !body->json_tool.empty();
    encoded.hints.json_tool_name = std::move(body->json_tool);
    return encoded;
  }

  [[nodiscard]] std::optional<HttpRequest> probe(const ProviderEntry& entry,
                                                 std::string_view api_key) const override {
    HttpRequest request;
    request.method = "GET";
    request.target = target_of(entry.address.base_path, "models");
    request.headers = headers_of(api_key, {});
    return request;
  }

  [[nodiscard]] std::unique_ptr<ReplyDecoder> decoder(const ResponseHead& head,
                                                      const DecodeHints& hints) const override {
    return anthropic::make_decoder(head, hints);
  }
};

}  // namespace

const Provider& anthropic_provider() {
  static const Anthropic codec;
  return codec;
}

}  // namespace tollgate::routing
