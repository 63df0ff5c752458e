// Embedding requests into the hub.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

EmbeddingRequest embedding(const std::string& body) {
  const auto view = read_body(body, Endpoint::embeddings);
  REQUIRE_MESSAGE(view, body);
  const auto request = view->embedding();
  REQUIRE_MESSAGE(request, body);
  return **request;
}

}  // namespace

TEST_CASE("texts and tokens, one and many") {
  using Texts = std::vector<std::string>;
  using Tokens = std::vector<std::vector<std::int64_t>>;
  CHECK(embedding(R"({"model":"m","input":"a"})").inputs == Texts{"a"});
  CHECK(embedding(R"({"model":"m","input":["a","b"]})").inputs == Texts{"a", "b"});
  CHECK(embedding(R"({"model":"m","input":[1,2]})").token_inputs == Tokens{{1, 2}});
  CHECK(embedding(R"({"model":"m","input":[[1],[2,3]]})").token_inputs == Tokens{{1}, {2, 3}});
}

TEST_CASE("the other members") {
  const EmbeddingRequest r = embedding(
      R"({"model":"m","input":"a","dimensions":256,"user":"u","encoding_format":"base64",)"
      R"("x":{},"y":null})");
  CHECK(r.model == "m");
  CHECK(r.dimensions == 256);
  CHECK(r.user == "u");
  CHECK(r.base64);
  CHECK(r.other == std::vector<RawField>{{"x", "{}"}});
}

TEST_CASE("malformed members name their place") {
  const auto param = [](const std::string& body) {
    const auto view = read_body(body, Endpoint::embeddings);
    REQUIRE_MESSAGE(view, body);
    const auto request = view->embedding();
    REQUIRE_MESSAGE(!request, body);
    return request.error().param;
  };
  CHECK(param(R"({"model":"m","input":"a","dimensions":0})") == "dimensions");
  CHECK(param(R"({"model":"m","input":"a","dimensions":"8"})") == "dimensions");
  CHECK(param(R"({"model":"m","input":[1,2.5]})") == "input[1]");
  CHECK(param(R"({"model":"m","input":[[1,"a"]]})") == "input[0][1]");
}
