// Server-sent events: no crash, the same events for every split, and no byte of the stream lost.
#include "gateway/wire/sse.hpp"

#include <string>

#include "tests/fuzz/input.hpp"

using namespace tollgate;
using fuzz::require;

namespace {

constexpr std::size_t event_max = 4096;

struct Decoded {
  std::vector<std::string> events;
  std::string wire;
  bool failed = false;
  bool operator==(const Decoded&) const = default;
};

std::string describe(const wire::SseEvent& event) {
  std::string text(event.has_data ? "data " : "none ");
  return text.append(event.event).append("\n").append(event.data).append("\n").append(event.wire);
}

Decoded decode(const std::vector<std::string_view>& pieces) {
  wire::SseDecoder decoder(event_max);
  Decoded out;
  wire::SseEvent event;
  const auto drain = [&](auto next) {
    Batch batch;
    while (true) {
      const auto more = next(batch);
      out.failed = out.failed || !more;
      if (!more || !*more) return;
      require(!event.wire.empty(), "an event has bytes");
      require(event.has_data || event.data.empty(), "no data, no bytes");
      out.events.push_back(describe(event));
      out.wire += event.wire;
    }
  };
  for (const std::string_view piece : pieces) {
    {
      const auto block = fuzz::exact_block(piece);
      decoder.feed(block, fuzz::bytes_of(block));
    }
    drain([&](Batch& batch) { return decoder.next(batch, event); });
    if (out.failed) return out;
  }
  drain([&](Batch& batch) { return decoder.finish(batch, event); });
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  const std::uint8_t seed = fuzz::take_byte(text);
  const Decoded whole = decode({text});
  const Decoded pieces = decode(fuzz::split(text, seed));
  require(whole == pieces, "the same for every split");
  if (whole.failed) return 0;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  require(whole.wire == text, "the events together are the stream");
  return 0;
}
