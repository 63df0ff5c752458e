#include <doctest/doctest.h>

#include "tests/unit/gemini/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini::test;

namespace {
Got whole(std::string_view body) { return decode(body, 200, "application/json; charset=UTF-8"); }
}  // namespace

TEST_CASE("a whole reply is the same events at once") {
  CHECK(whole("{\n \"candidates\": [{\"content\": {\"parts\": [{\"text\": \"hi\"}]},\n"
              "\"finishReason\": \"STOP\"}], \"responseId\": \"R\", \"modelVersion\": \"m\",\n"
              "\"usageMetadata\": {\"promptTokenCount\": 1}}\n")
            .joined() == "started R m\ntext hi\nusage 1+0 0(0)\nfinish stop\nended\n");
}

TEST_CASE("no candidates are still one choice") {
  CHECK(whole(R"({"responseId":"R"})").joined() == "started R \nfinish stop\nended\n");
  CHECK(whole(R"({"promptFeedback":{"blockReason":"SAFETY"}})").joined() ==
        "started  \nfinish content_filter\nended\n");
  CHECK(whole(R"({"candidates":[{"finishReason":"MAX_TOKENS","index":0}]})").joined() ==
        "started  \nfinish length\nended\n");
}

TEST_CASE("the array that a stream is without alt=sse") {
  CHECK(whole(R"([{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"responseId":"R"},)"
              R"({"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}])")
            .joined() == "started R \ntext a\ntext b\nfinish stop\nended\n");
  CHECK(whole(R"([{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}])").result.error().kind ==
        ErrorKind::stream_cut);
}

TEST_CASE("half a reply is cut, another thing is unreadable") {
  CHECK(whole("").result.error().kind == ErrorKind::stream_cut);
  CHECK(whole("{\"candidates\":").result.error().kind == ErrorKind::stream_cut);
  CHECK(whole("<html></html>").result.error().kind == ErrorKind::upstream_error);
  CHECK(whole("42").result.error().kind == ErrorKind::upstream_error);
}

TEST_CASE("an error with status 200") {
  CHECK(whole(R"([{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}])")
            .result.error()
            .kind == ErrorKind::upstream_rate_limited);
}
