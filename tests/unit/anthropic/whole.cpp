#include <doctest/doctest.h>

#include "tests/unit/anthropic/support.hpp"

using namespace tollgate;
using namespace tollgate::routing;
using namespace tollgate::routing::anthropic::test;

TEST_CASE("a whole reply is the same events at once") {
  const auto got = decode_whole(R"({"id":"msg_9","type":"message","model":"m","content":[
      {"type":"thinking","thinking":"so","signature":"SSS="},
      {"type":"text","text":"a\u00e9"},
      {"type":"tool_use","id":"t1","name":"f","input":{"n":12345678901234567890,"s":"x"}},
      {"type":"tool_use","id":"t2","name":"g","input":{}}],
      "stop_reason":"tool_use","usage":{"input_tokens":5,"output_tokens":6}})");
  CHECK(got.log ==
        "started: msg_9\nreasoning: so\nsignature: SSS=\ntext: a\xC3\xA9\n"
        "tool 0: t1 f \ntool 0:   {\"n\":12345678901234567890,\"s\":\"x\"}\n"
        "tool 1: t2 g \ntool 1:   {}\nfinish: tool_calls\nended\n");
  CHECK(got.usage.input == 5);
  CHECK(got.usage.output == 6);
}

TEST_CASE("a refusal may have no content at all") {
  CHECK(decode_whole(R"({"id":"m","content":[],"stop_reason":"refusal"})").log ==
        "started: m\nfinish: content_filter\nended\n");
}

TEST_CASE("what is no reply is an upstream error, retryable") {
  for (const std::string_view body :
       {R"(<html>gateway</html>)", R"({"id":"m","content":[)", R"({"id":"m"})", ""}) {
    CAPTURE(body);
    const auto got = decode_whole(body);
    REQUIRE(!got.result);
    CHECK(got.result.error().status == 502);
    CHECK(got.result.error().retry == Retry::same_or_other);
  }
}

TEST_CASE("an error inside a 200 is judged by its type") {
  const auto got =
      decode_whole(R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})");
  REQUIRE(!got.result);
  CHECK(got.result.error().status == 503);
  CHECK(got.result.error().message == "busy");
}

TEST_CASE("a whole reply to a streamed request, and the other way round") {
  DecodeHints stream;
  stream.stream = true;
  CHECK(
      decode_whole(R"({"id":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn"})",
                   stream)
          .log == "started: m\ntext: hi\nfinish: stop\nended\n");
  CHECK(decode_stream(start() + end("end_turn")).log == "started: msg_1\nfinish: stop\nended\n");
}
