// A client's request: read and decoded without a crash, refused with a clear 4xx, and whatever is
// accepted is encoded for every provider as one JSON object or refused likewise.
#include <string>

#include "gateway/wire/dialect.hpp"
#include "routing/provider.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate;
using fuzz::require;

namespace {

void check_error(const Error& error) {
  require(error.status >= 400 && error.status < 500, "a client's fault is a 4xx");
  require(!error.message.empty(), "and says what it is");
}

void check_encode(const wire::RequestView& view, const routing::Provider& provider,
                  bool refuse_unsupported) {
  routing::ProviderEntry entry;
  entry.name = "fuzz";
  entry.kind = provider.kind();
  entry.codec = &provider;
  entry.address.host = "localhost";
  const routing::Target target{std::make_shared<const routing::ProviderEntry>(entry),
                               "target-model", 1};
  routing::EncodeContext context;
  context.api_key = "key";
  context.request_id = "id";
  context.refuse_unsupported = refuse_unsupported;
  const auto encoded = provider.encode(view, target, context);
  if (!encoded) return check_error(encoded.error());
  // A translation may nest a few levels deeper than the client's own body.
  const std::string body = encoded->request.body.joined();
  require(wire::JsonShape::read(body, 128).has_value(), "what goes upstream is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  const std::uint8_t choice = fuzz::take_byte(text);
  const std::string body(text);
  const bool embeddings = choice % 4 == 1;
  const auto view =
      wire::openai_chat().read(embeddings ? Endpoint::embeddings : Endpoint::chat, body);
  if (!view) {
    check_error(view.error());
    return 0;
  }
  if (embeddings) {
    if (const auto request = view->embedding(); !request) check_error(request.error());
  } else {
    const auto request = view->chat();
    if (!request) check_error(request.error());
    require(!request || (*request)->model == view->model, "one model, however it is read");
  }
  for (const routing::Provider* provider : routing::providers()) {
    if (provider->supports(view->endpoint)) check_encode(*view, *provider, choice >= 128);
  }
  return 0;
}
