#include <doctest/doctest.h>

#include "tests/unit/openai/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::openai::test;

namespace {

const std::string hi = R"("messages":[{"role":"user","content":"hi"}])";

std::string body_of(const std::string& request, const Asked& asked = {}) {
  return encode(request, asked).body;
}

}  // namespace

TEST_CASE("only the model is spliced, everything else stays byte for byte") {
  const std::string request = "{ \"x\" : 1e400,\n" + hi + " , \"mod\\u0065l\": \"mine\" }";
  CHECK(body_of(request) == "{ \"x\" : 1e400,\n" + hi + " , \"mod\\u0065l\": \"upstream\" }");
}

TEST_CASE("a model of the same name leaves the body alone") {
  const std::string request = "{\"model\":\"upstream\"," + hi + "}";
  const Sent sent = encode(request);
  CHECK(sent.body == request);
  CHECK(sent.target == "/v1/chat/completions");
  CHECK(sent.hints.relay);
  CHECK_FALSE(sent.hints.stream);
}

TEST_CASE("the model's name is escaped") {
  CHECK(body_of("{\"model\":\"m\"," + hi + "}", {.model = "a\"b"}) ==
        "{\"model\":\"a\\\"b\"," + hi + "}");
}

TEST_CASE("a stream always asks for usage") {
  const std::string begin = "{\"model\":\"upstream\",\"stream\":true," + hi;
  SUBCASE("inserted") {
    CHECK(body_of(begin + "}") ==
          R"({"stream_options":{"include_usage":true},)" + begin.substr(1) + "}");
  }
  SUBCASE("already there") {
    const std::string request = begin + R"(,"stream_options":{"include_usage":true}})";
    CHECK(body_of(request) == request);
  }
  SUBCASE("refused by the client") {
    CHECK(body_of(begin + R"(,"stream_options":{"include_usage": false,"x":1}})") ==
          begin + R"(,"stream_options":{"include_usage": true,"x":1}})");
  }
  SUBCASE("other options") {
    CHECK(body_of(begin + R"(,"stream_options":{"x":1}})") ==
          begin + R"(,"stream_options":{"include_usage":true,"x":1}})");
    CHECK(body_of(begin + R"(,"stream_options":{}})") ==
          begin + R"(,"stream_options":{"include_usage":true}})");
  }
  SUBCASE("null") {
    CHECK(body_of(begin + R"(,"stream_options":null})") ==
          begin + R"(,"stream_options":{"include_usage":true}})");
  }
}

TEST_CASE("fields that mean nothing to us are taken out wherever they stand") {
  const std::string model = R"("model":"upstream")";
  const std::string rest = model + "," + hi;
  CHECK(body_of(R"({"api_key":"k",)" + rest + "}") == "{" + rest + "}");
  CHECK(body_of("{" + rest + R"( ,"base_url":"u" })") == "{" + rest + " }");
  CHECK(body_of("{" + rest + R"(,"base_url":"u","api_base":{"a":[1]},"api_key":null})") ==
        "{" + rest + "}");
  CHECK(body_of("{" + model + R"(,"api_key":"k", )" + hi + R"(,"api_base":1})") ==
        "{" + rest + "}");
}

TEST_CASE("fields that choose another model are refused unless allowed") {
  for (const std::string name :
       {"models", "provider", "route", "plugins", "fallbacks", "transforms", "background"}) {
    const std::string request = "{\"model\":\"upstream\"," + hi + ",\"" + name + "\":[1]}";
    CHECK(encode(request).error_param == name);
    CHECK(body_of(request, {.allow_fields = {name}}) == request);
  }
  CHECK(encode("{\"model\":\"m\"," + hi + ",\"ro\\u0075te\":\"x\"}").error_param == "route");
  CHECK(encode("{\"model\":\"m\"," + hi + ",\"route\":null}").error_param.empty());
}

TEST_CASE("defaults fill in what the client left out") {
  const std::string request = "{\"model\":\"upstream\"," + hi + "}";
  const std::string inside = request.substr(1);
  CHECK(body_of(request, {.defaults = {{"temperature", "0.5"}, {"seed", "1"}}}) ==
        "{\"temperature\":0.5,\"seed\":1," + inside);
  CHECK(body_of("{\"temperature\":1," + inside, {.defaults = {{"temperature", "0.5"}}}) ==
        "{\"temperature\":1," + inside);
  SUBCASE("a null is filled in where it stands: never twice the same name") {
    CHECK(body_of("{\"temperature\":null," + inside, {.defaults = {{"temperature", "0.5"}}}) ==
          "{\"temperature\":0.5," + inside);
  }
  SUBCASE("a limit under the other name counts as given") {
    CHECK(body_of("{\"max_completion_tokens\":5," + inside, {.defaults = {{"max_tokens", "9"}}}) ==
          "{\"max_completion_tokens\":5," + inside);
  }
  SUBCASE("stream options are joined with the wish for usage") {
    CHECK(body_of("{\"stream\":true," + inside, {.defaults = {{"stream_options", R"({"x":1})"}}}) ==
          R"({"stream_options":{"include_usage":true,"x":1},"stream":true,)" + inside);
  }
}

TEST_CASE("vectors are asked for as numbers and packed here") {
  const Asked asked{.endpoint = Endpoint::embeddings};
  const Sent packed =
      encode(R"({"model":"upstream","input":"a","encoding_format":"base64"})", asked);
  CHECK(packed.body == R"({"model":"upstream","input":"a","encoding_format":"float"})");
  CHECK(packed.target == "/v1/embeddings");
  CHECK(packed.hints.base64);
  CHECK_FALSE(packed.hints.relay);
  const Sent plain = encode(R"({"model":"upstream","input":"a"})", asked);
  CHECK(plain.body == R"({"model":"upstream","input":"a"})");
  CHECK(plain.hints.relay);
  CHECK(encode(R"({"model":"upstream","input":"a","encoding_format":null})", asked).body ==
        R"({"model":"upstream","input":"a","encoding_format":"float"})");
}

TEST_CASE("the key goes into its header, and none where there is none") {
  const std::string request = "{\"model\":\"upstream\"," + hi + "}";
  const HeaderList with = encode(request).headers,
                   without = encode(request, {.api_key = ""}).headers;
  CHECK(with.front() == std::pair<std::string, std::string>("authorization", "Bearer the-key"));
  CHECK(with.back() == std::pair<std::string, std::string>("accept-encoding", "identity"));
  CHECK(without.front().first == "content-type");
}
