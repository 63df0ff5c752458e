// One provider's reply decoder (TOLLGATE_FUZZ_PROVIDER): no crash, no view that outlives its
// blocks, frames that cover their events, and the same reply for every split.
#include <array>
#include <string>

#include "routing/provider.hpp"
#include "tests/fuzz/describe.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate;
using fuzz::require;

namespace {

/// The first four bytes of the input choose these; tests/fuzz/seeds.py knows the order.
struct Choice {
  ResponseHead head;
  routing::DecodeHints hints;
  std::uint8_t seed = 0;
};

Choice choose(std::string_view& text) {
  constexpr std::array statuses = {200, 200, 200, 400, 401, 404, 429, 500, 503, 529};
  constexpr std::array<std::string_view, 4> types = {
      "application/json", "text/event-stream", "text/event-stream; charset=utf-8", "text/html"};
  Choice choice;
  const std::uint8_t flags = fuzz::take_byte(text);
  choice.head.status = statuses[fuzz::take_byte(text) % statuses.size()];
  choice.head.headers.add("content-type", types[fuzz::take_byte(text) % types.size()]);
  choice.seed = fuzz::take_byte(text);
  choice.hints.stream = (flags & 1U) != 0;
  choice.hints.relay = (flags & 2U) != 0;
  choice.hints.json_tool = (flags & 4U) != 0;
  if (choice.hints.json_tool) choice.hints.json_tool_name = "json";
  choice.hints.base64 = (flags & 8U) != 0;
  if ((flags & 16U) != 0) choice.hints.endpoint = Endpoint::embeddings;
  choice.hints.model = "model";
  return choice;
}

struct Decoded {
  std::string events, wire, error;
  bool operator==(const Decoded&) const = default;
};

void check_frames(const Batch& batch) {
  std::size_t next = 0;
  for (const Frame& frame : batch.frames) {
    require(frame.first_event == next, "frames cover the events in order");
    next += frame.event_count;
  }
  require(next == batch.events.size(), "every event belongs to a frame");
}

void take_error(const Result<void>& result, Decoded& out) {
  if (result) return;
  const Error& error = result.error();
  require(!error.message.empty() && error.status >= 400 && error.status < 600, "a whole error");
  out.error = std::to_string(error.status) + " " + error.code + " " + error.message;
}

/// One batch for all: its views must be true when the decoder is gone already.
Decoded decode_whole(const routing::Provider& provider, const Choice& choice,
                     std::string_view text) {
  Decoded out;
  Batch batch;
  {
    const auto decoder = provider.decoder(choice.head, choice.hints);
    const auto block = fuzz::exact_block(text);
    Result<void> result;
    if (!text.empty()) result = decoder->feed(block, fuzz::bytes_of(block), batch);
    if (result) result = decoder->finish(batch);
    take_error(result, out);
  }
  check_frames(batch);
  fuzz::describe(batch, out.events, out.wire);
  return out;
}

/// As the pump does it: the batch is read and cleared behind each piece.
Decoded decode_split(const routing::Provider& provider, const Choice& choice,
                     std::string_view text) {
  Decoded out;
  Batch batch;
  const auto decoder = provider.decoder(choice.head, choice.hints);
  const auto read = [&](const Result<void>& result) {
    check_frames(batch);
    fuzz::describe(batch, out.events, out.wire);
    batch.clear();
    take_error(result, out);
    return result.has_value();
  };
  for (const std::string_view piece : fuzz::split(text, choice.seed)) {
    Result<void> result;
    {
      const auto block = fuzz::exact_block(piece);
      result = decoder->feed(block, fuzz::bytes_of(block), batch);
    }
    if (!read(result)) return out;
  }
  read(decoder->finish(batch));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const routing::Provider* provider = routing::find_provider(TOLLGATE_FUZZ_PROVIDER);
  require(provider != nullptr, "the provider is in the registry");
  std::string_view text = fuzz::text_of(data, size);
  const Choice choice = choose(text);
  const Decoded whole = decode_whole(*provider, choice, text);
  const Decoded pieces = decode_split(*provider, choice, text);
  if (whole.events != pieces.events || whole.error != pieces.error) {
    std::fprintf(stderr, "whole: %s\n%s\nsplit: %s\n%s\n", whole.error.c_str(),
                 whole.events.c_str(), pieces.error.c_str(), pieces.events.c_str());
  }
  require(whole.events == pieces.events, "the same events for every split");
  require(whole.error == pieces.error, "the same error for every split");
  require(whole.wire == pieces.wire, "the same frames for every split");
  return 0;
}
