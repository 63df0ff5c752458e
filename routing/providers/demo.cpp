// Provider `demo`: a deterministic model inside the process. Its wire is OpenAI's, so that it is
// relayed, decoded and tested like any compatible server; its upstream is demo_script.
#include "routing/providers/openai.hpp"
#include "routing/providers/registry.hpp"

namespace tollgate::routing {
namespace {

class Demo final : public Provider {
 public:
  [[nodiscard]] std::string_view kind() const override { return "demo"; }
  [[nodiscard]] std::string_view default_base_url() const override { return "demo://demo/v1"; }
  [[nodiscard]] std::string_view otel_name() const override { return "tollgate.demo"; }
  [[nodiscard]] bool supports(Endpoint endpoint) const override {
    return openai_provider().supports(endpoint);
  }
  [[nodiscard]] bool relays(std::string_view dialect, Endpoint endpoint) const override {
    return openai_provider().relays(dialect, endpoint);
  }
  [[nodiscard]] bool needs_api_key() const override { return false; }
  Result<Encoded> encode(const wire::RequestView& view, const Target& target,
                         const EncodeContext& context) const override {
    return openai::encode_relay(view, target, context);
  }
  [[nodiscard]] std::unique_ptr<ReplyDecoder> decoder(const ResponseHead& head,
                                                      const DecodeHints& hints) const override {
    return openai::make_decoder(head, hints);
  }
};

}  // namespace

const Provider& demo_provider() {
  static const Demo provider;
  return provider;
}

}  // namespace tollgate::routing
