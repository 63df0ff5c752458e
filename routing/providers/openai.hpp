// The parts of the openai codec that others build on: providers whose wire is OpenAI-shaped (demo)
// decode with the same decoder. Pure.
#pragma once
#include <memory>

#include "routing/provider.hpp"

namespace tollgate::routing::openai {

/// Decodes an OpenAI-shaped reply: a stream, a whole reply, embeddings or an error body.
[[nodiscard]] std::unique_ptr<ReplyDecoder> make_decoder(const ResponseHead& head,
                                                         const DecodeHints& hints);

/// The client's body with only what must change spliced in (see openai_encode.cpp). `target` path,
/// headers and hints are filled in too. Errors: 400 for refused fields.
Result<Encoded> encode_relay(const wire::RequestView& view, const Target& target,
                             const EncodeContext& context);

}  // namespace tollgate::routing::openai
