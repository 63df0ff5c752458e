// The dialect that OpenAI's SDKs speak at chat, completions and embeddings.
#include "gateway/wire/dialect.hpp"
#include "gateway/wire/dialects/openai/openai.hpp"

namespace tollgate::wire {
namespace {

class OpenAiChat final : public Dialect {
 public:
  std::string_view name() const override { return "openai_chat"; }

  Result<RequestView> read(Endpoint endpoint, std::string_view body) const override {
    auto view = openai::read_request(endpoint, body);
    if (view) view->dialect = this;
    return view;
  }
  Result<ChatRequest> decode_chat(const RequestView& view) const override {
    return openai::decode_chat(view);
  }
  Result<EmbeddingRequest> decode_embedding(const RequestView& view) const override {
    return openai::decode_embedding(view);
  }
  std::unique_ptr<ReplyEncoder> encoder(ReplyContext context) const override {
    if (context.stream) return openai::stream_encoder(context);
    return openai::whole_encoder(std::move(context));
  }
  std::string render_error(const Error& error) const override {
    return openai::render_error(error);
  }
  /// No blank line behind it: an SDK that sees one would look for an event.
  std::string_view heartbeat() const override { return ": ping\n"; }
};

constexpr OpenAiChat dialect;

}  // namespace

const Dialect& openai_chat() { return dialect; }

}  // namespace tollgate::wire
