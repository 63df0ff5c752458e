#include <doctest/doctest.h>

#include "tests/unit/gemini/support.hpp"

using namespace tollgate;
using namespace tollgate::routing;
using namespace tollgate::routing::gemini::test;

namespace {

std::string parts(std::string_view list, std::string_view finish = "", int index = 0) {
  std::string json = R"({"candidates":[{"content":{"role":"model","parts":[)" + std::string(list) +
                     R"(]},"index":)" + std::to_string(index);
  if (!finish.empty()) json += R"(,"finishReason":")" + std::string(finish) + "\"";
  return json + R"(}],"responseId":"R","modelVersion":"m"})";
}
std::string events(const std::vector<std::string>& responses) {
  const Got got = decode(stream_of(responses));
  CHECK(got.result);
  return got.joined();
}
ErrorKind failure(const std::vector<std::string>& responses) {
  const Got got = decode(stream_of(responses));
  REQUIRE(!got.result);
  return got.result.error().kind;
}

}  // namespace

TEST_CASE("text, thoughts, finish, usage once each time it is told") {
  CHECK(
      events({parts(R"({"text":"why","thought":true})"), parts(R"({"text":"a\ud83d\ude00"})"),
              R"({"candidates":[{"finishReason":"MAX_TOKENS"}],)"
              R"("usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}})"}) ==
      "started R m\nreasoning why\ntext a\xF0\x9F\x98\x80\nusage 3+0 2(0)\nfinish length\nended\n");
}

TEST_CASE("a call that was seen decides the finish, also from a later chunk") {
  CHECK(events({parts(R"({"functionCall":{"name":"f","args":{"a": [1, "x y"]},"id":"i"},)"
                      R"("thoughtSignature":"c2ln"})"),
                parts(R"({"text":""})", "STOP")}) ==
        "started R m\ntool 0 i f {\"a\":[1,\"x y\"]} c2ln\nfinish tool_calls\nended\n");
}

TEST_CASE("parallel calls have their own index and id") {
  CHECK(events({parts(R"({"functionCall":{"name":"f"}},{"functionCall":{"name":"f","id":""}})"),
                parts(R"({"functionCall":{"name":"g","args":{}}})", "STOP")}) ==
        "started R m\ntool 0 call_R_0_0 f {} -\ntool 1 call_R_0_1 f {} -\n"
        "tool 2 call_R_0_2 g {} -\nfinish tool_calls\nended\n");
}

TEST_CASE("an id that comes twice is made unique") {
  CHECK(events({parts(R"({"functionCall":{"name":"f","id":"i"}},)"
                      R"({"functionCall":{"name":"g","id":"i"}})",
                      "STOP")})
            .contains("tool 1 call_R_0_1 g {} -\n"));
}

TEST_CASE("without an id of the reply the request's own seeds the calls") {
  DecodeHints hints;
  hints.stream = true;
  hints.id_seed = "req/1";
  hints.renamed_tools = {{"_9", "9"}};
  const Got got =
      decode(stream_of({R"({"candidates":[{"content":{"parts":[)"
                        R"({"functionCall":{"name":"_9"}}]},"finishReason":"STOP"}]})"}),
             200, "text/event-stream", hints);
  CHECK(got.joined().contains("tool 0 call_req_1_0_0 9 {} -\n"));
}

TEST_CASE("a call in pieces") {
  CHECK(events({parts(R"({"functionCall":{"name":"f","id":"i","willContinue":true}})"),
                parts(R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"x",)"
                      R"("willContinue":true}],"willContinue":true}})"),
                parts(R"({"functionCall":{"willContinue":true}})"),
                parts(R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"y"}],)"
                      R"("willContinue":true}})"),
                parts(R"({"functionCall":{}})"), parts("", "STOP")}) ==
        "started R m\ntool 0 i f - -\ntool 0 - - {\"a\":\"xy\"} -\nfinish tool_calls\nended\n");
}

TEST_CASE("a call in pieces that nobody ends is ended by the next one, or the reply") {
  CHECK(events({parts(R"({"functionCall":{"name":"f","id":"i","willContinue":true}})"),
                parts(R"({"functionCall":{"name":"g","id":"j","willContinue":true}})", "STOP")}) ==
        "started R m\ntool 0 i f - -\ntool 0 - - {} -\ntool 1 j g - -\ntool 1 - - {} -\n"
        "finish tool_calls\nended\n");
}

TEST_CASE("several candidates are several choices") {
  CHECK(events({parts(R"({"text":"a"})", "STOP"), parts(R"({"text":"b"})", "SAFETY", 1)}) ==
        "started R m\ntext a\ntext[1] b\nfinish stop\nfinish[1] content_filter\nended\n");
}

TEST_CASE("finish words") {
  for (const auto& [google, openai] : std::initializer_list<std::pair<std::string, std::string>>{
           {"STOP", "stop"},
           {"SPII", "content_filter"},
           {"IMAGE_SAFETY", "content_filter"},
           {"OTHER", "stop"},
           {"NEVER_HEARD", "stop"}}) {
    CAPTURE(google);
    CHECK(events({parts(R"({"text":"a"})", google)}).contains("finish " + openai + "\n"));
  }
}

TEST_CASE("a broken call may be tried again while nothing was sent") {
  const Got got = decode(stream_of({parts("", "MALFORMED_FUNCTION_CALL")}));
  REQUIRE(!got.result);
  CHECK(got.result.error().kind == ErrorKind::upstream_error);
  CHECK(got.result.error().retry == Retry::same_or_other);
  CHECK(events({parts(R"({"text":"a"})"), parts("", "UNEXPECTED_TOOL_CALL")})
            .contains("finish stop\n"));
}

TEST_CASE("a blocked prompt is one filtered choice") {
  CHECK(events({R"({"promptFeedback":{"blockReason":"MODEL_ARMOR"},"responseId":"R"})"}) ==
        "started R \nfinish content_filter\nended\n");
}

TEST_CASE("what ends early is cut") {
  CHECK(failure({}) == ErrorKind::stream_cut);
  CHECK(failure({parts(R"({"text":"a"})")}) == ErrorKind::stream_cut);
  CHECK(failure({parts(R"({"text":"a"})", "STOP"), parts(R"({"text":"b"})", "", 1)}) ==
        ErrorKind::stream_cut);
  CHECK(decode("data: {\"candidates\":[{\"fin").result.error().kind == ErrorKind::stream_cut);
  CHECK(decode("data: garbage\n\n").result.error().kind == ErrorKind::upstream_error);
}

TEST_CASE("errors inside a 200") {
  const std::string error = R"({"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}})";
  CHECK(failure({parts(R"({"text":"a"})"), error}) == ErrorKind::upstream_overloaded);
  CHECK(failure({"[" + error + "]"}) == ErrorKind::upstream_overloaded);
  CHECK(decode(error).result.error().kind == ErrorKind::upstream_overloaded);
  CHECK(decode("[" + error + "\n]\n").result.error().kind == ErrorKind::upstream_overloaded);
  CHECK(decode(stream_of({parts(R"({"text":"a"})")}) + error).result.error().message == "busy");
}

TEST_CASE("a 4xx says text/event-stream and is plain JSON") {
  const Got got =
      decode(R"({"error":{"code":404,"message":"no model","status":"NOT_FOUND"}})", 404);
  REQUIRE(!got.result);
  CHECK(got.result.error().status == 404);
  CHECK(got.result.error().message == "no model");
}

TEST_CASE("pictures and sounds are extras") {
  CHECK(events({parts(R"({"inlineData":{"mimeType":"image/png","data":"AA=="}})", "STOP")})
            .contains(R"(extra images [{"type":"image_url","image_url":)"
                      R"({"url":"data:image/png;base64,AA=="},"index":0}])"));
  CHECK(
      events({parts(R"({"inlineData":{"mimeType":"audio/L16;rate=24000","data":"AA=="}})", "STOP")})
          .contains(R"(extra audio {"data":"AA==",)"));
}

TEST_CASE("comments and [DONE] are nothing") {
  const Got got =
      decode(": ping\n\n" + stream_of({parts(R"({"text":"a"})", "STOP")}) + "data: [DONE]\n\n");
  CHECK(got.result);
  CHECK(got.joined() == "started R m\ntext a\nfinish stop\nended\n");
}
