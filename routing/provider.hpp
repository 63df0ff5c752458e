// Provider: one upstream dialect as a pure codec. Bytes in, bytes out: no socket, no clock, no
// globals. One .cpp in providers/ implements it; registry.cpp lists it.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/core/block.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/core/frame_memory.hpp"
#include "gateway/core/pieces.hpp"
#include "gateway/wire/dialect.hpp"
#include "routing/target.hpp"

namespace tollgate::routing {

struct HttpRequest {
  std::string method = "POST";
  std::string target;    ///< path and query, the address's base_path included
  HeaderFields headers;  ///< content-type, auth and the provider's own; Host and framing are net's
  Pieces body;           ///< views point into the client's body, which outlives the attempt
};

/// What the decoder must know of the request.
struct DecodeHints {
  Endpoint endpoint = Endpoint::chat;
  bool stream = false;
  bool relay =
      false;  ///< same dialect: text of events may be the escaped source bytes, only counted
  bool full_events = false;  ///< of a relay: its events are unescaped and in order all the same
  bool json_tool =
      false;  ///< structured output was asked for as a forced tool: turn it back into text
  std::string json_tool_name;
  bool base64 = false;  ///< embeddings: the client wants base64
  std::string model;    ///< upstream model
  /// One of its own for each request, which outlives these: for ids that the provider leaves out.
  std::string_view id_seed;
  /// Tools whose names the provider could not take, as (sent, the client's).
  std::vector<std::pair<std::string, std::string>> renamed_tools;
};

struct Encoded {
  HttpRequest request;
  std::vector<std::string> dropped;  ///< names of request fields that the provider cannot take
  DecodeHints hints;
};

/// What an encode needs beside the request. Key and time come in, so signing stays pure.
struct EncodeContext {
  std::string_view api_key;     ///< of this attempt
  std::string_view request_id;  ///< ours, also sent upstream as x-request-id
  SystemTime now{};
  bool refuse_unsupported =
      false;  ///< `unsupported_params: refuse`: 400 with `param` instead of dropping
};

/// Turns a provider's reply into events. Chunks may be cut anywhere.
struct ReplyDecoder : PerCall {
  virtual ~ReplyDecoder() = default;
  /// Takes `bytes`, which lie in `block`; appends frames and events to `out` and holds the blocks
  /// there. Error: the stream is broken or the provider reported a failure (mapped by the error
  /// table).
  virtual Result<void> feed(const std::shared_ptr<Block>& block, std::string_view bytes,
                            Batch& out) = 0;
  /// The reply has ended. A whole reply is decoded here; a 4xx/5xx body becomes the Error here; a
  /// stream without its terminal mark is stream_cut.
  virtual Result<void> finish(Batch& out) = 0;
};

struct Provider {
  virtual ~Provider() = default;
  [[nodiscard]] virtual std::string_view kind() const = 0;              ///< "openai"
  [[nodiscard]] virtual std::string_view default_base_url() const = 0;  ///< as its SDK takes it
  [[nodiscard]] virtual std::string_view otel_name() const = 0;         ///< gen_ai.provider.name
  [[nodiscard]] virtual bool supports(Endpoint endpoint) const = 0;
  /// True where the client's dialect is the upstream's own: bytes are relayed with splices.
  [[nodiscard]] virtual bool relays(std::string_view dialect, Endpoint endpoint) const = 0;
  [[nodiscard]] virtual bool needs_api_key() const { return true; }
  /// Builds the upstream request. Errors: 400 unsupported_parameter / invalid_request with `param`.
  virtual Result<Encoded> encode(const wire::RequestView& view, const Target& target,
                                 const EncodeContext& context) const = 0;
  /// A GET that costs nothing and is answered by whoever lives: the list of models. nullopt: there
  /// is none.
  [[nodiscard]] virtual std::optional<HttpRequest> probe(const ProviderEntry&,
                                                         std::string_view /*api_key*/) const {
    return std::nullopt;
  }
  /// `head` and `hints` outlive the decoder.
  [[nodiscard]] virtual std::unique_ptr<ReplyDecoder> decoder(const ResponseHead& head,
                                                              const DecodeHints& hints) const = 0;
};

/// Every provider this build knows, in the order of the registry.
[[nodiscard]] std::span<const Provider* const> providers();
/// The codec of that `kind`, or nullptr.
[[nodiscard]] const Provider* find_provider(std::string_view kind);

}  // namespace tollgate::routing
