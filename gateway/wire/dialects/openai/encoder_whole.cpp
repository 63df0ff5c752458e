// Replies in one piece: the provider's own bytes where they are unchanged, else a body rendered
// from the events. Batches are kept by their blocks, so nothing is copied until then.
#include <utility>

#include "gateway/wire/dialects/openai/openai.hpp"
#include "gateway/wire/dialects/openai/whole_bodies.hpp"

namespace tollgate::wire::openai {
namespace {

class WholeEncoder final : public ReplyEncoder {
 public:
  explicit WholeEncoder(ReplyContext context) : context_(std::move(context)) {}

  void encode(Batch& batch, Pieces&) override { kept_.push_back(std::exchange(batch, {})); }

  void finish(Pieces& out) override { relays() ? relay(out) : out.own(render()); }
  void fail(const Error& error, Pieces& out) override { out.own(render_error(error)); }

 private:
  /// A single changed frame means that the bytes no longer say what the reply is.
  [[nodiscard]] bool relays() const {
    bool bytes = false, changed = false;
    for (const Batch& batch : kept_) {
      for (const Frame& frame : batch.frames) {
        bytes = bytes || !frame.wire.empty();
        changed = changed || frame.changed;
      }
    }
    return context_.relay && bytes && !changed;
  }

  void relay(Pieces& out) const {
    for (const Batch& batch : kept_) {
      for (const Frame& frame : batch.frames)
        out.view(frame.wire);
    }
  }

  [[nodiscard]] std::string render() const {
    if (context_.endpoint == Endpoint::embeddings) return render_embeddings(kept_, context_);
    CollectedReply reply(context_);
    for (const Batch& batch : kept_) {
      for (const StreamEvent& event : batch.events)
        reply.add(event);
    }
    reply.complete();
    return context_.endpoint == Endpoint::completions ? render_completion(std::move(reply))
                                                      : render_chat(std::move(reply), context_);
  }

  ReplyContext context_;
  std::vector<Batch> kept_;
};

}  // namespace

std::unique_ptr<ReplyEncoder> whole_encoder(ReplyContext context) {
  return std::make_unique<WholeEncoder>(std::move(context));
}

}  // namespace tollgate::wire::openai
