// Provider `openai`: OpenAI itself and everything compatible through `base_url`.
#include "routing/providers/openai.hpp"

#include "routing/providers/registry.hpp"

namespace tollgate::routing {
namespace {

class OpenAi final : public Provider {
 public:
  [[nodiscard]] std::string_view kind() const override { return "openai"; }
  [[nodiscard]] std::string_view default_base_url() const override {
    return "https://api.openai.com/v1";
  }
  [[nodiscard]] std::string_view otel_name() const override { return "openai"; }
  [[nodiscard]] bool supports(Endpoint endpoint) const override {
    return endpoint == Endpoint::chat || endpoint == Endpoint::completions ||
           endpoint == Endpoint::embeddings;
  }
  [[nodiscard]] bool relays(std::string_view dialect, Endpoint endpoint) const override {
    return dialect == "openai_chat" && supports(endpoint);
  }
  /// Servers of one's own often have none.
  [[nodiscard]] bool needs_api_key() const override { return false; }
  Result<Encoded> encode(const wire::RequestView& view, const Target& target,
                         const EncodeContext& context) const override {
    return openai::encode_relay(view, target, context);
  }
  [[nodiscard]] std::optional<HttpRequest> probe(const ProviderEntry& entry,
                                                 std::string_view api_key) const override {
    HttpRequest request;
    request.method = "GET";
    request.target = entry.address.base_path + "/models";
    if (!api_key.empty()) request.headers.add("authorization", "Bearer " + std::string(api_key));
    return request;
  }
  [[nodiscard]] std::unique_ptr<ReplyDecoder> decoder(const ResponseHead& head,
                                                      const DecodeHints& hints) const override {
    return openai::make_decoder(head, hints);
  }
};

}  // namespace

const Provider& openai_provider() {
  static const OpenAi provider;
  return provider;
}

}  // namespace tollgate::routing
