#include "routing/providers/gemini.hpp"

#include "routing/providers/registry.hpp"

namespace tollgate::routing {
namespace {

class Gemini final : public Provider {
 public:
  [[nodiscard]] std::string_view kind() const override { return "gemini"; }
  [[nodiscard]] std::string_view default_base_url() const override {
    return "https://generativelanguage.googleapis.com";
  }
  [[nodiscard]] std::string_view otel_name() const override { return "gcp.gemini"; }
  [[nodiscard]] bool supports(Endpoint endpoint) const override {
    return endpoint == Endpoint::chat || endpoint == Endpoint::embeddings;
  }
  [[nodiscard]] bool relays(std::string_view, Endpoint) const override { return false; }

  Result<Encoded> encode(const wire::RequestView& view, const Target& target,
                         const EncodeContext& context) const override {
    switch (view.endpoint) {
      case Endpoint::chat:
        return gemini::encode_chat(view, target, context);
      case Endpoint::embeddings:
        return gemini::encode_embeddings(view, target, context);
      default:
        return fail(ErrorKind::unsupported_endpoint, "Gemini has no such endpoint");
    }
  }

  [[nodiscard]] std::optional<HttpRequest> probe(const ProviderEntry& entry,
                                                 std::string_view api_key) const override {
    return gemini::models_request(entry, api_key);
  }

  [[nodiscard]] std::unique_ptr<ReplyDecoder> decoder(const ResponseHead& head,
                                                      const DecodeHints& hints) const override {
    return hints.endpoint == Endpoint::embeddings ? gemini::embeddings_decoder(head, hints)
                                                  : gemini::chat_decoder(head, hints);
  }
};

}  // namespace

const Provider& gemini_provider() {
  static const Gemini provider;
  return provider;
}

}  // namespace tollgate::routing
