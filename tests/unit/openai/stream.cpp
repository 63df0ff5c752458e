#include <doctest/doctest.h>

#include "tests/unit/openai/support.hpp"

using namespace tollgate;
using namespace tollgate::routing;
using namespace tollgate::routing::openai::test;

namespace {

const std::string head = "started c1 m\n";
const std::string done = "[DONE]";

}  // namespace

TEST_CASE("text, finish, usage and the end, in that order") {
  const Got got = decode_stream(
      {chunk(R"({"role":"assistant","content":""})"), chunk(R"({"content":"a\u00e9\n"})"),
       chunk(R"({"content":"b"})", R"("length")"),
       R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})",
       done});
  CHECK(got.result);
  CHECK(got.events == head + "text a\u00e9\n\ntext b\nusage 5+0+0 2(0)\nfinish length\nended\n");
}

TEST_CASE("a relay tells the finish in its frame and leaves texts escaped") {
  const Got got = decode_stream({chunk(R"({"content":"a\n"})"), chunk("{}", R"("stop")"),
                                 chunk(R"({"content":""})", R"("stop")"), done},
                                true);
  CHECK(got.events == head + "text a\\n\nfinish stop\nended\n");
}

TEST_CASE("a finish that comes twice, and content behind the first") {
  const Got got = decode_stream(
      {chunk("{}", R"("stop")"), chunk(R"({"content":"late"})", R"("length")"), done});
  CHECK(got.events == head + "text late\nfinish stop\nended\n");
}

TEST_CASE("[DONE] is terminal without a finish, which is then inferred") {
  CHECK(decode_stream({chunk(R"({"content":"a"})", R"("")"), done}).events ==
        head + "text a\nfinish stop\nended\n");
  CHECK(decode_stream({chunk(R"({"tool_calls":[{"id":"t","function":{"name":"f"}}]})"), done})
            .events == head + "tool 0 t f -\ntool 0 - - {}\nfinish tool_calls\nended\n");
}

TEST_CASE("the end of the bytes is an end only after every finish") {
  CHECK(decode_stream({chunk(R"({"content":"a"})", R"("stop")")}).result);
  const Got cut = decode_stream({chunk(R"({"content":"a"})")});
  REQUIRE_FALSE(cut.result);
  CHECK(cut.result.error().kind == ErrorKind::stream_cut);
  CHECK(cut.events == head + "text a\n");
  const Got half = decode_stream(
      {chunk("{}", R"("stop")"), R"({"choices":[{"index":1,"delta":{"content":"b"}}]})"});
  CHECK(half.result.error().kind == ErrorKind::stream_cut);
}

TEST_CASE("a stream without a choice is a failure that can be retried elsewhere") {
  for (const std::vector<std::string>& chunks :
       {std::vector<std::string>{}, {done}, {R"({"choices":[]})", done}}) {
    const Got got = decode_stream(chunks);
    REQUIRE_FALSE(got.result);
    CHECK(got.result.error().kind == ErrorKind::upstream_error);
    CHECK(got.result.error().retry == Retry::same_or_other);
  }
}

TEST_CASE("an error in the stream is judged by what it names") {
  const auto error_of = [](const std::string& json) {
    const Got got = decode_stream({chunk(R"({"content":"a"})"), json});
    REQUIRE_FALSE(got.result);
    return got.result.error();
  };
  CHECK(error_of(R"({"error":{"code":429,"message":"slow"}})").kind ==
        ErrorKind::upstream_rate_limited);
  CHECK(error_of(R"({"error":{"type":"server_error","message":"x"}})").status == 500);
  CHECK(error_of(R"({"error":"it broke"})").message == "it broke");
  CHECK(error_of(R"({"object":"error","message":"gone","code":404})").status == 404);
  CHECK(error_of(chunk("{}", R"("error")")).kind == ErrorKind::upstream_error);
  SUBCASE("behind the finish it changes nothing") {
    const Got got = decode_stream(
        {chunk("{}", R"("length")"), R"({"error":{"code":400,"message":"x"}})", done});
    CHECK(got.result);
    CHECK(got.events == head + "finish length\nended\n");
  }
  SUBCASE("null and empty ones are none") {
    CHECK(decode_stream({R"({"error":null,"choices":[{"delta":{"content":"a"}}]})", done}).result);
  }
}

TEST_CASE("garbage is an upstream error that does not show the garbage") {
  const Got got = decode_stream({chunk(R"({"content":"a"})"), R"({"choices":[{]})"});
  REQUIRE_FALSE(got.result);
  CHECK(got.result.error().kind == ErrorKind::upstream_error);
  CHECK(got.result.error().message.find("choices") == std::string::npos);
  CHECK(got.result.error().detail.find("choices") != std::string::npos);
}

TEST_CASE("Azure's first chunk has neither id nor choice") {
  const Got got = decode_stream({R"({"id":"","model":"","choices":[],"prompt_filter_results":[]})",
                                 chunk(R"({"content":"a"})", R"("stop")"),
                                 R"({"choices":[{"index":0,"content_filter_offsets":{}}]})", done});
  CHECK(got.events == head + "text a\nfinish stop\nended\n");
}

TEST_CASE("reasoning is read once, whatever the field is called") {
  const auto events = [](const std::string& delta) {
    return decode_stream({chunk(delta, R"("stop")"), done}, false).events;
  };
  const std::string end = "finish stop\nended\n";
  CHECK(events(R"({"reasoning_content":"r"})") == head + "reasoning r\n" + end);
  CHECK(events(R"({"reasoning":"r","reasoning_details":[{"text":"r"}]})") ==
        head + "reasoning r\n" + end);
  CHECK(events(R"({"reasoning_details":[{"text":"r"},{"signature":"s"},{"data":"d"}]})") ==
        head + "reasoning r\nreasoning signature:s\nreasoning redacted:d\n" + end);
  CHECK(events(R"({"content":[{"type":"thinking","thinking":[{"text":"r"}]},{"text":"t"}]})") ==
        head + "reasoning r\ntext t\n" + end);
}

TEST_CASE("refusals, log probabilities and other extras") {
  const Got got = decode_stream(
      {R"({"id":"c1","model":"m","choices":[{"delta":{"refusal":"no","audio":{"id":"x"},)"
       R"("annotations":[],"images":null},"logprobs":{"content":[1]},"finish_reason":"stop"}]})",
       R"({"choices":[{"delta":{},"logprobs":{"content":null,"refusal":null}}]})", done});
  CHECK(got.events == head + "refusal no\nextra audio {\"id\":\"x\"}\n" +
                          "extra logprobs {\"content\":[1]}\nfinish stop\nended\n");
}

TEST_CASE("half a character waits for its other half") {
  const Got got =
      decode_stream({chunk(R"({"content":"a\ud83d"})"), chunk(R"({"content":"\ude00b"})"),
                     chunk(R"({"content":"\\ud83d"})", R"("stop")"), done});
  CHECK(got.events == head + "text a\ntext \U0001F600b\ntext \\ud83d\nfinish stop\nended\n");
}

TEST_CASE("a choice whose index comes behind its delta, and several choices") {
  const Got got = decode_stream(
      {R"({"id":"c1","model":"m","choices":[{"delta":{"content":"b"},"index":1},)"
       R"({"delta":{"content":"a"},"index":0}]})",
       R"({"choices":[{"finish_reason":"stop","index":1},{"finish_reason":"length","index":0}]})"});
  CHECK(got.events == head + "text[1] b\ntext a\nfinish length\nfinish[1] stop\nended\n");
}

TEST_CASE("a choice number out of all bounds is refused") {
  CHECK_FALSE(decode_stream({R"({"choices":[{"index":4000000000,"delta":{}}]})", done}).result);
}

TEST_CASE("a whole reply to a request for a stream is rendered, not relayed") {
  DecodeHints hints;
  hints.stream = hints.relay = true;
  const std::string body =
      R"({"id":"c1","model":"m","choices":[{"message":{"content":"a\n"},"finish_reason":"stop"}]})";
  CHECK(decode(body, hints).events == head + "text a\n\nfinish stop\nended\n");
}

TEST_CASE("blank bytes in front are the same in one piece with what follows and alone") {
  const std::string chunk_text = chunk(R"({"content":"a"})", "\"stop\"");
  const std::string whole_text =
      R"({"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]})";
  for (const bool stream : {false, true}) {
    for (const std::string& body : {"\r\n\r\ndata: " + chunk_text + "\n\n", "\n\n" + whole_text}) {
      CAPTURE(stream);
      CAPTURE(body);
      DecodeHints hints;
      hints.stream = stream;
      hints.relay = true;
      const std::string whole = frames_of({body}, hints);
      CHECK(whole.starts_with(body.substr(0, 2)));
      for (std::size_t cut = 1; cut < body.size(); ++cut) {
        const std::string_view text = body;
        CHECK(frames_of({text.substr(0, cut), text.substr(cut)}, hints) == whole);
      }
    }
  }
}

TEST_CASE("a relay's chunks that differ in one text only are read as any other") {
  const auto says = [](std::string_view text) {
    return chunk(R"({"content":)" + std::string(text) + "}");
  };
  const std::vector<std::string> same{says(R"("one")"), says(R"(" two")"), says(R"("")"),
                                      says(R"("\"3\" \u00e9")")};
  const std::string text = "text one\ntext  two\ntext \\\"3\\\" \\u00e9\n";
  CHECK(decode_stream({same[0], same[1], same[2], same[3]}, true).events == head + text);

  SUBCASE("one that only looks the same is read whole") {
    const std::string more = says(R"("4","refusal":"no")");
    const std::string late = chunk(R"({"content":"5"})", R"("stop")");
    const std::string other = R"({"id":"c1","model":"m","choices":[{"index":1,"delta":)"
                              R"({"content":"6"},"finish_reason":null}]})";
    CHECK(
        decode_stream({same[0], same[1], more, same[1], late, other, same[1], done}, true).events ==
        head +
            "text one\ntext  two\ntext 4\nrefusal no\ntext  two\ntext 5\n"
            "finish stop\ntext[1] 6\ntext  two\nfinish[1] stop\nended\n");
  }
  SUBCASE("a text that is no JSON is refused") {
    for (const std::string_view bad : {R"("\x")", R"("\u12")", "\"\t\"", R"("a)"}) {
      const Got got = decode_stream({same[0], same[1], says(bad), done}, true);
      REQUIRE_FALSE(got.result);
      CHECK(got.result.error().kind == ErrorKind::upstream_error);
      CHECK(got.events == head + "text one\ntext  two\n");
    }
  }
}
