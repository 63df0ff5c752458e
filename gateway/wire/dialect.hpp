// Dialect: one client-facing API shape. Reads a client's request into a RequestView (shallow) and,
// when somebody translates, into the hub; renders replies, stream errors and heartbeats. Pure: no
// socket, no clock.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"
#include "gateway/core/chat.hpp"
#include "gateway/core/error.hpp"
#include "gateway/core/frame_memory.hpp"
#include "gateway/core/outcome.hpp"
#include "gateway/core/pieces.hpp"
#include "gateway/wire/json_shape.hpp"

namespace tollgate::wire {

class Dialect;

/// A request as far as everybody needs it; the rest is decoded at the first ask.
class RequestView {
 public:
  Endpoint endpoint = Endpoint::chat;
  std::string_view body;  ///< the client's bytes
  JsonShape shape;
  std::string model;  ///< unescaped
  std::string user;   ///< `user`, else `safety_identifier`; may be empty
  bool stream = false;
  bool include_usage = false;
  bool base64 = false;            ///< embeddings: encoding_format base64 was asked for
  bool legacy_functions = false;  ///< `functions` without `tools`: the reply must answer in kind
  std::uint32_t n = 1;
  std::optional<std::int64_t> max_tokens;  ///< the larger one of its two names
  const Dialect* dialect = nullptr;

  /// The whole request in the hub; decoded once. Error: 400 with `param` at what is malformed.
  /// Only for Endpoint::chat.
  Result<const ChatRequest*> chat() const;
  /// Only for Endpoint::embeddings.
  Result<const EmbeddingRequest*> embedding() const;

  /// Fills in what the client left out: `name` -> JSON text (a model's `defaults`). Seen by
  /// `missing_defaults()` users (relays splice them) and applied in `chat()`; `max_tokens`, `n` and
  /// `user` of this view follow at once.
  void set_defaults(const std::vector<RawField>* defaults);
  /// Those defaults whose name the client did not send (max_tokens and max_completion_tokens are
  /// one). JSON null counts as not sent: a relay then replaces the null in place of adding a twin.
  [[nodiscard]] std::vector<const RawField*> missing_defaults() const;

  /// The output limit that encodes send from now on in place of the client's, in tokens a choice;
  /// nullopt: the client's again.
  void limit_output(std::optional<std::uint64_t> tokens);
  [[nodiscard]] std::optional<std::uint64_t> set_limit() const { return set_limit_; }
  /// What is to be sent: the limit that was set, else the client's own.
  [[nodiscard]] std::optional<std::int64_t> output_limit() const;

 private:
  const std::vector<RawField>* defaults_ = nullptr;
  std::optional<std::uint64_t> set_limit_;
  mutable std::unique_ptr<ChatRequest> chat_;
  mutable std::unique_ptr<EmbeddingRequest> embedding_;
};

/// What a rendered reply needs to know beside its events. Two renderings with the same context are
/// byte-equal.
struct ReplyContext {
  std::string id;            ///< used where the provider gave none
  std::int64_t created = 0;  ///< Unix seconds, likewise
  std::string model;         ///< the name that was asked for
  Endpoint endpoint = Endpoint::chat;
  bool stream = false;
  bool include_usage = false;
  bool base64 = false;
  bool relay = false;             ///< same dialect upstream: unchanged frames go out as their bytes
  bool legacy_functions = false;  ///< RequestView's: calls go out as `function_call`
};

/// Renders one reply. `encode` is called for every batch in order, then `finish` once.
struct ReplyEncoder : PerCall {
  virtual ~ReplyEncoder() = default;
  /// Streams: appends the SSE bytes of the batch (views into its blocks, or owned). Whole replies:
  /// collects, appends nothing, and takes the batch over.
  virtual void encode(Batch& batch, Pieces& out) = 0;
  /// The end of a good reply: usage chunk where asked for and [DONE], or the whole JSON body.
  virtual void finish(Pieces& out) = 0;
  /// A failure after bytes were sent: the dialect's error event. Nothing follows it.
  virtual void fail(const Error& error, Pieces& out) = 0;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;  ///< "openai_chat"
  /// Reads what everybody needs. `body` outlives the view. Errors: 400 in all its forms.
  virtual Result<RequestView> read(Endpoint endpoint, std::string_view body) const = 0;
  virtual Result<ChatRequest> decode_chat(const RequestView& view) const = 0;
  virtual Result<EmbeddingRequest> decode_embedding(const RequestView& view) const = 0;
  [[nodiscard]] virtual std::unique_ptr<ReplyEncoder> encoder(ReplyContext context) const = 0;
  /// The JSON body of an error reply.
  [[nodiscard]] virtual std::string render_error(const Error& error) const = 0;
  /// Written between frames of a silent stream.
  [[nodiscard]] virtual std::string_view heartbeat() const = 0;
};

/// OpenAI's chat, completions and embeddings.
[[nodiscard]] const Dialect& openai_chat();

}  // namespace tollgate::wire
