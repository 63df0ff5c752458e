// Embedding replies, rendered from events.
#include <array>
#include <bit>
#include <limits>

#include "gateway/wire/base64.hpp"
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

template <std::size_t N>
std::string bytes(const std::array<float, N>& floats) {
  std::string out;
  for (const float number : floats) {
    const auto bits = std::bit_cast<std::uint32_t>(number);
    for (unsigned shift = 0; shift < 32; shift += 8)
      out += static_cast<char>(bits >> shift & 255U);
  }
  return out;
}

ReplyContext embeddings(bool base64) {
  ReplyContext context = whole_context();
  context.endpoint = Endpoint::embeddings;
  context.base64 = base64;
  return context;
}

}  // namespace

TEST_CASE("vectors come as the shortest numbers that read back, in the order of the inputs") {
  const std::string a = bytes(std::array{0.1F, -1.0F, 16777216.0F});
  const std::string b = bytes(std::array{1e-10F, 0.0F});
  const std::string out =
      render(embeddings(false), translated({Started{"", "up", 0}, Embedding{1, b}, Embedding{0, a},
                                            UsageEvent{Usage{.input = 5}}, Ended{}}));
  CHECK(
      out ==
      R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-1,16777216]},)"
      R"({"object":"embedding","index":1,"embedding":[1e-10,0]}],"model":"asked",)"
      R"("usage":{"prompt_tokens":5,"total_tokens":5}})");
}

TEST_CASE("base64 holds the bytes themselves") {
  const std::string a = bytes(std::array{0.1F, -2.5F});
  const std::string out = render(embeddings(true), translated({Embedding{0, a}}));
  CHECK(out.find(R"("embedding":")" + base64_encode(a) + "\"") != std::string::npos);
}

TEST_CASE("what JSON cannot say is null") {
  const std::string a = bytes(std::array{std::numeric_limits<float>::infinity(), 1.0F});
  CHECK(render(embeddings(false), translated({Embedding{0, a}})).find("[null,1]") !=
        std::string::npos);
}

TEST_CASE("no vectors, an empty list") {
  CHECK(render(embeddings(false), {}) ==
        R"({"object":"list","data":[],"model":"asked","usage":{"prompt_tokens":0,)"
        R"("total_tokens":0}})");
}
