// The halves of the Gemini codec (AI Studio: generativelanguage.googleapis.com), put together in
// gemini.cpp. Pure: bytes in, bytes out; any thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "routing/provider.hpp"

namespace tollgate::routing::gemini {

/// `generateContent` or `streamGenerateContent`.
Result<Encoded> encode_chat(const wire::RequestView& view, const Target& target,
                            const EncodeContext& context);
/// `batchEmbedContents`.
Result<Encoded> encode_embeddings(const wire::RequestView& view, const Target& target,
                                  const EncodeContext& context);

/// GET of the list of models.
[[nodiscard]] HttpRequest models_request(const ProviderEntry& entry, std::string_view api_key);

/// A POST to a model's method with everything but its body. The model's name comes from the client
/// where the operator wrote a wildcard: what could mean anything in a path but a name is 404
/// model_not_found.
Result<HttpRequest> method_request(const Target& target, const EncodeContext& context,
                                   std::string_view method);
/// The name without `models/`.
[[nodiscard]] std::string_view bare_model(std::string_view model);

/// 400 at the first dropped field where the model's configuration refuses to drop.
Result<void> check_dropped(const Encoded& encoded, const EncodeContext& context);

std::unique_ptr<ReplyDecoder> chat_decoder(const ResponseHead& head, const DecodeHints& hints);
std::unique_ptr<ReplyDecoder> embeddings_decoder(const ResponseHead& head,
                                                 const DecodeHints& hints);

/// The Error that an error reply's body describes: Google's object, alone or in an array, or
/// whatever else came. `status` 0: inside a 200.
[[nodiscard]] Error read_error(int status, const HeaderFields& headers, std::string_view body);

}  // namespace tollgate::routing::gemini
