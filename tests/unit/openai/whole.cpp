#include <doctest/doctest.h>

#include "tests/unit/openai/support.hpp"

using namespace tollgate;
using namespace tollgate::routing;
using namespace tollgate::routing::openai::test;

namespace {

Got whole(const std::string& choice, const std::string& more = "") {
  return decode(R"({"id":"c1","model":"m","choices":[)" + choice + "]" + more + "}");
}

std::string usage_line(const std::string& usage) {
  const std::string events = whole(R"({"message":{"content":"a"}})", ",\"usage\":" + usage).events;
  const auto at = events.find("usage ");
  return at == std::string::npos ? "" : events.substr(at, events.find('\n', at) - at);
}

}  // namespace

TEST_CASE("a whole reply is the same events at once") {
  CHECK(whole(R"({"index":0,"message":{"content":"a","tool_calls":[]},"finish_reason":"stop"})")
            .events == "started c1 m\ntext a\nfinish stop\nended\n");
  CHECK(whole(R"({"text":"a","finish_reason":"length"})").events ==
        "started c1 m\ntext a\nfinish length\nended\n");
}

TEST_CASE("a finish that is missing or empty is inferred") {
  CHECK(whole(R"({"finish_reason":"","message":{"tool_calls":[)"
              R"({"id":"t","function":{"name":"f","arguments":"{}"}}]}})")
            .events == "started c1 m\ntool 0 t f {}\nfinish tool_calls\nended\n");
  CHECK(whole(R"({"message":{"function_call":{"name":"f","arguments":"{}"}}})")
            .events.find("finish function_call") != std::string::npos);
}

TEST_CASE("empty and broken replies are upstream errors") {
  for (const std::string body : {"", " \n", "{}", R"({"choices":[]})", "<html>", "[1", "null"}) {
    const Got got = decode(body);
    REQUIRE_FALSE(got.result);
    CHECK(got.result.error().kind == ErrorKind::upstream_error);
    CHECK(got.result.error().status == 502);
  }
}

TEST_CASE("an error inside a 200") {
  const Got got = decode(R"({"error":{"message":"m","code":503}})");
  REQUIRE_FALSE(got.result);
  CHECK(got.result.error().status == 503);
}

TEST_CASE("usage: every token once, nothing below zero") {
  CHECK(usage_line(R"({"prompt_tokens":10,"completion_tokens":4,)"
                   R"("prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":2},)"
                   R"("completion_tokens_details":{"reasoning_tokens":1}})") == "usage 5+3+2 4(1)");
  SUBCASE("more cached than prompted, more thought than said") {
    CHECK(usage_line(R"({"prompt_tokens":377,"completion_tokens":5,)"
                     R"("prompt_tokens_details":{"cached_tokens":515},)"
                     R"("completion_tokens_details":{"reasoning_tokens":48}})") ==
          "usage 0+377+0 5(5)");
  }
  SUBCASE("the other places of cached counts") {
    CHECK(usage_line(R"({"prompt_tokens":9,"prompt_cache_hit_tokens":4})") == "usage 5+4+0 0(0)");
    CHECK(usage_line(R"({"prompt_tokens":9,"num_cached_tokens":4})") == "usage 5+4+0 0(0)");
    CHECK(usage_line(R"({"prompt_tokens":9,"cached_tokens":4})") == "usage 5+4+0 0(0)");
  }
  SUBCASE("floats, nulls, only a total, nothing at all") {
    CHECK(usage_line(R"({"prompt_tokens":9.0,"completion_tokens":null})") == "usage 9+0+0 0(0)");
    CHECK(usage_line(R"({"total_tokens":9})") == "usage 9+0+0 0(0)");
    CHECK(usage_line(R"({"prompt_tokens":null,"cost":{"a":1}})").empty());
    CHECK(usage_line(R"({"prompt_tokens":-5})").empty());
  }
  SUBCASE("M11: what stands beside a count that is none is not believed") {
    CHECK(usage_line(R"({"prompt_tokens":-5,"completion_tokens":4})").empty());
    CHECK(usage_line(R"({"prompt_tokens":5,"completion_tokens":1e16})").empty());
    CHECK(usage_line(R"({"prompt_tokens":5,"completion_tokens":"4"})").empty());
  }
}

TEST_CASE("usage: of two members with one name the last counts, and null is none") {
  CHECK(
      usage_line(R"({"prompt_tokens":10,"completion_tokens":4,"prompt_tokens":null,)"
                 R"("prompt_tokens_details":{"cached_tokens":3,"x":[{}]},)"
                 R"("prompt_tokens_details":{"cached_tokens":2},"prompt_tokens_details":null})") ==
      "usage 8+2+0 4(0)");
  CHECK(usage_line(R"({"prompt_tokens":10,"completion_tokens":4,)"
                   R"("prompt_tokens_details":{"cached_tokens":3},"prompt_tokens_details":7})") ==
        "usage 10+0+0 4(0)");
  CHECK(usage_line(R"({"prompt_tokens":10,"completion_tokens":4},"usage":{"total_tokens":6})") ==
        "usage 6+0+0 0(0)");
  CHECK(usage_line(R"({"prompt_tokens":10},"usage":5)").empty());
}

TEST_CASE("M12: reasoning beside the completion is added where the total says so") {
  CHECK(usage_line(R"({"prompt_tokens":10,"completion_tokens":4,"total_tokens":44,)"
                   R"("completion_tokens_details":{"reasoning_tokens":30}})") ==
        "usage 10+0+0 34(30)");
  CHECK(usage_line(R"({"prompt_tokens":10,"completion_tokens":34,"total_tokens":44,)"
                   R"("completion_tokens_details":{"reasoning_tokens":30}})") ==
        "usage 10+0+0 34(30)");
  // Neither reading adds up: what is outside the total is not paid for.
  CHECK(usage_line(R"({"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,)"
                   R"("completion_tokens_details":{"reasoning_tokens":30}})") ==
        "usage 10+0+0 4(4)");
}

TEST_CASE("M5, M12: searches, pictures and the tier that was served") {
  CHECK(usage_line(R"({"prompt_tokens":9,"num_search_queries":3})") ==
        "usage 9+0+0 0(0) searches 3");
  CHECK(usage_line(R"({"prompt_tokens":9,"num_sources_used":0})") == "usage 9+0+0 0(0)");
  CHECK(usage_line(R"({"prompt_tokens":9,"server_tool_use":{"web_search_requests":2}})") ==
        "usage 9+0+0 0(0) searches 2");
  const std::string events =
      whole(R"({"message":{"content":"a","images":[{"type":"image_url"},{"type":"image_url"}]}})",
            R"(,"service_tier":"priority","usage":{"completion_tokens":9,)"
            R"("completion_tokens_details":{"image_tokens":7}})")
          .events;
  CHECK(events.find("usage 0+0+0 9(0) images 2 image tokens 7 tier priority\n") !=
        std::string::npos);
}

TEST_CASE("embeddings as numbers and as base64") {
  DecodeHints hints;
  hints.endpoint = Endpoint::embeddings;
  const std::string body =
      R"({"model":"m","data":[{"index":1,"embedding":[0.5,1]},{"embedding":"AAAAPwAAgD8AAIA/"}],)"
      R"("usage":{"prompt_tokens":2,"total_tokens":2}})";
  CHECK(decode(body, hints).events ==
        "started  m\nembedding 1 8\nembedding 1 12\nusage 2+0+0 0(0)\nended\n");
  hints.relay = true;
  CHECK(decode(body, hints).events == "started  m\nusage 2+0+0 0(0)\nended\n");
  CHECK_FALSE(decode(R"({"data":{}})", hints).result);
  hints.relay = false;
  CHECK_FALSE(decode(R"({"data":[{"embedding":null}]})", hints).result);
}
