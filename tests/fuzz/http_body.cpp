// Chunked bodies: no crash, the same for every split, and what is chunked comes back as it was.
#include "gateway/wire/http_body.hpp"

#include <string>

#include "tests/fuzz/input.hpp"

using namespace tollgate;
using fuzz::require;

namespace {

struct Decoded {
  std::string data;
  std::size_t consumed = 0;
  bool done = false, failed = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(const std::vector<std::string_view>& pieces) {
  wire::ChunkedDecoder decoder;
  Decoded out;
  for (const std::string_view piece : pieces) {
    const std::string copy(piece);
    std::string_view rest = copy;
    while (!out.done) {
      const auto step = decoder.next(rest);
      if (!step) {
        out.failed = true;
        return out;
      }
      require(fuzz::inside(step->data, rest.substr(0, step->consumed)), "data is of the input");
      require(!step->done || step->data.empty(), "a step with bytes is never the last");
      out.data += step->data;
      out.consumed += step->consumed;
      out.done = step->done;
      if (step->consumed == 0) break;
      rest.remove_prefix(step->consumed);
    }
    if (out.done) break;
    require(rest.empty(), "all of the input is used while the body lasts");
  }
  return out;
}

std::string chunked(std::string_view payload, std::uint32_t seed) {
  std::string out;
  char size[20];
  for (const std::string_view piece : fuzz::split(payload, seed)) {
    std::snprintf(size, sizeof size, "%zx", piece.size());
    out.append(size).append(seed % 3 == 0 ? ";e=1\r\n" : "\r\n").append(piece).append("\r\n");
  }
  return out + "0\r\nX-Trailer: t\r\n\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  const std::uint8_t seed = fuzz::take_byte(text);
  Decoded whole = decode({text});
  Decoded pieces = decode(fuzz::split(text, seed));
  // Where an error is found the two may have handed out a different share of the bytes before it.
  if (whole.failed && pieces.failed) whole.consumed = pieces.consumed;
  require(whole == pieces, "the same for every split");

  const std::string body = chunked(text, seed);
  const Decoded back = decode(fuzz::split(body, seed + 1U));
  require(back.done && back.data == text && back.consumed == body.size(), "a round trip");
  return 0;
}
