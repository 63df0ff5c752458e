#include <doctest/doctest.h>

#include "tests/unit/anthropic/support.hpp"

using namespace tollgate;
using namespace tollgate::routing;
using namespace tollgate::routing::anthropic::test;

namespace {
constexpr std::string_view text_block = R"({"type":"text","text":""})";
std::string text_delta(int index, std::string_view json_text) {
  return block_delta(index, R"({"type":"text_delta","text":)" + std::string(json_text) + "}");
}
std::string input_delta(int index, std::string_view json_text) {
  return block_delta(
      index, R"({"type":"input_json_delta","partial_json":)" + std::string(json_text) + "}");
}
std::string tool_block(std::string_view id, std::string_view name, std::string_view input = "{}") {
  return R"({"type":"tool_use","id":")" + std::string(id) + R"(","name":")" + std::string(name) +
         R"(","input":)" + std::string(input) + "}";
}
DecodeHints json_tool() {
  DecodeHints hints;
  hints.json_tool = true;
  hints.json_tool_name = "json";
  return hints;
}
}  // namespace

TEST_CASE("text, pings and unknown events") {
  const auto got = decode_stream(
      start() + event("ping") + block_start(0, text_block) + text_delta(0, R"("Hel")") +
      event("novelty", R"(,"x":[1])") + text_delta(0, R"("lo\n")") +
      block_delta(0, R"({"type":"new_delta","text":"no"})") + block_stop(0) + end("end_turn"));
  CHECK(got.log == "started: msg_1\ntext: Hel\ntext: lo\n\nfinish: stop\nended\n");
  CHECK(got.usage.input == 3);
  CHECK(got.usage.output == 9);
}

TEST_CASE("deltas that differ only in their text mean what each would mean alone") {
  const auto got = decode_stream(
      start() + block_start(0, text_block) + text_delta(0, R"("a")") + text_delta(0, R"("")") +
      text_delta(0, R"("b\"c")") + text_delta(0, R"("\ud83d")") + text_delta(0, R"("\ude00")") +
      text_delta(0, "\"\u00e9\"") + block_stop(0) + block_start(0, tool_block("t", "f")) +
      text_delta(0, R"("d")") + input_delta(0, R"("{\"x\":")") + input_delta(0, R"("1}")") +
      block_stop(0) + end("tool_use"));
  CHECK(got.log ==
        "started: msg_1\ntext: a\ntext: b\"c\ntext: \U0001f600\ntext: \u00e9\ntool 0: t f \n"
        "text: d\ntool 0:   {\"x\":\ntool 0:   1}\nfinish: tool_calls\nended\n");
}

TEST_CASE("deltas of two open blocks in turn each go to their own") {
  const auto got = decode_stream(
      start() + block_start(0, tool_block("a", "f")) + block_start(1, tool_block("b", "g")) +
      input_delta(0, R"("1")") + input_delta(1, R"("")") + input_delta(0, R"("2")") +
      input_delta(1, R"("3")") + input_delta(1, R"("4")") + input_delta(0, R"("5")") +
      block_stop(0) + input_delta(1, R"("6")") + block_stop(1) + input_delta(1, R"("late")") +
      end("tool_use"));
  CHECK(got.log ==
        "started: msg_1\ntool 0: a f \ntool 1: b g \ntool 0:   1\ntool 0:   2\ntool 1:   3\n"
        "tool 1:   4\ntool 0:   5\ntool 1:   6\nfinish: tool_calls\nended\n");
}

TEST_CASE("a delta is judged as strictly as the one before it that it repeats") {
  const std::string begin = start() + block_start(0, text_block) + text_delta(0, R"("a")");
  for (const std::string_view broken :
       {"\"\xff\"", R"("\q")", R"("b" "c")", R"("b)", "\"\x01\"", R"(b")", R"("b\")"}) {
    const auto got = decode_stream(begin + text_delta(0, broken) + block_stop(0) + end("end_turn"));
    CHECK_MESSAGE(!got.result, broken);
    CHECK_MESSAGE(got.log.starts_with("started: msg_1\ntext: a\nerror: "), got.log);
  }
}

TEST_CASE("tool indices are counted on their own, behind text and provider-run tools") {
  const auto got = decode_stream(
      start() + block_start(0, text_block) + text_delta(0, R"("a")") + block_stop(0) +
      block_start(1, R"({"type":"server_tool_use","id":"s","name":"web_search","input":{}})") +
      input_delta(1, R"("{\"q\":1}")") + block_stop(1) +
      block_start(2, R"({"type":"web_search_tool_result","tool_use_id":"s","content":[]})") +
      block_stop(2) + block_start(3, tool_block("t1", "one")) + input_delta(3, R"("")") +
      input_delta(3, R"("{\"x\":")") + input_delta(3, R"("1}")") + block_stop(3) +
      block_start(4, tool_block("t2", "two")) + input_delta(4, R"("{}")") + block_stop(4) +
      end("tool_use"));
  CHECK(got.log ==
        "started: msg_1\ntext: a\ntool 0: t1 one \ntool 0:   {\"x\":\ntool 0:   1}\n"
        "tool 1: t2 two \ntool 1:   {}\nfinish: tool_calls\nended\n");
}

TEST_CASE("a call without arguments has {} when it was finished, and nothing when it was cut") {
  const std::string call =
      start() + block_start(0, tool_block("t", "now")) + input_delta(0, R"("")") + block_stop(0);
  CHECK(decode_stream(call + end("tool_use")).log ==
        "started: msg_1\ntool 0: t now \ntool 0:   {}\nfinish: tool_calls\nended\n");
  CHECK(decode_stream(call + end("max_tokens")).log ==
        "started: msg_1\ntool 0: t now \nfinish: length\nended\n");
}

TEST_CASE("a relay that sends the input at once is understood; never both") {
  const std::string begin = start() + block_start(0, tool_block("t", "f", R"({"a":1})"));
  CHECK(decode_stream(begin + block_stop(0) + end("tool_use")).log ==
        "started: msg_1\ntool 0: t f \ntool 0:   {\"a\":1}\nfinish: tool_calls\nended\n");
  CHECK(decode_stream(begin + input_delta(0, R"("{\"a\":1}")") + block_stop(0) + end("tool_use"))
            .log ==
        "started: msg_1\ntool 0: t f \ntool 0:   {\"a\":1}\nfinish: tool_calls\nended\n");
}

TEST_CASE("thinking: text, the last signature, redacted blocks, an empty thought") {
  const auto got = decode_stream(
      start() + block_start(0, R"({"type":"thinking","thinking":"","signature":""})") +
      block_delta(0, R"({"type":"thinking_delta","thinking":"hm"})") +
      block_delta(0, R"({"type":"signature_delta","signature":"AAA="})") +
      block_delta(0, R"({"type":"signature_delta","signature":"BBB="})") + block_stop(0) +
      block_start(1, R"({"type":"redacted_thinking","data":"RRR="})") + block_stop(1) +
      block_start(2, R"({"type":"thinking","thinking":""})") +
      block_delta(2, R"({"type":"signature_delta","signature":"CCC="})") + block_stop(2) +
      end("end_turn"));
  CHECK(got.log ==
        "started: msg_1\nreasoning: hm\nsignature: BBB=\nredacted: RRR=\nsignature: CCC=\n"
        "finish: stop\nended\n");
}

TEST_CASE("every stop reason has its finish") {
  for (const auto& [reason, finish] :
       std::initializer_list<std::pair<std::string_view, std::string>>{
           {"end_turn", "stop"},
           {"stop_sequence", "stop"},
           {"pause_turn", "stop"},
           {"compaction", "stop"},
           {"what_may_come", "stop"},
           {"max_tokens", "length"},
           {"model_context_window_exceeded", "length"},
           {"refusal", "content_filter"}}) {
    CAPTURE(reason);
    CHECK(decode_stream(start() + end(reason)).log ==
          "started: msg_1\nfinish: " + finish + "\nended\n");
  }
}

TEST_CASE("without a stop reason the blocks tell") {
  const std::string tail = event("message_stop");
  CHECK(decode_stream(start() + tail).log == "started: msg_1\nfinish: stop\nended\n");
  CHECK(decode_stream(start() + block_start(0, tool_block("t", "f")) + block_stop(0) + tail).log ==
        "started: msg_1\ntool 0: t f \ntool 0:   {}\nfinish: tool_calls\nended\n");
}

TEST_CASE("a stream that ends early is cut, whatever it has said") {
  CHECK(decode_stream("").log == "error: upstream_error 502\n");
  CHECK(decode_stream(start()).result.error().kind == ErrorKind::stream_cut);
  const std::string said =
      start() + event("message_delta", R"(,"delta":{"stop_reason":"end_turn"})");
  CHECK(decode_stream(said).result.error().kind == ErrorKind::stream_cut);
}

TEST_CASE("an error event is judged by its type") {
  const auto fails = [](std::string_view type) {
    return decode_stream(start() + event("error", R"(,"error":{"type":")" + std::string(type) +
                                                      R"(","message":"Overloaded"})"))
        .result.error();
  };
  CHECK(fails("overloaded_error").kind == ErrorKind::upstream_overloaded);
  CHECK(fails("overloaded_error").status == 503);
  CHECK(fails("rate_limit_error").status == 429);
  CHECK(fails("api_error").status == 500);
  CHECK(fails("timeout_error").status == 504);
  CHECK(fails("authentication_error").kind == ErrorKind::upstream_auth);
  CHECK(fails("billing_error").kind == ErrorKind::upstream_quota);
  CHECK(fails("unheard_of").status == 502);
}

TEST_CASE("garbage in an event is an upstream error") {
  CHECK(decode_stream(start() + "data: {\"type\":\n\n").result.error().kind ==
        ErrorKind::upstream_error);
  CHECK(decode_stream("data: [1,2]\n\n").result.error().kind == ErrorKind::upstream_error);
}

TEST_CASE("a second start is harmless until it belongs to another reply") {
  const std::string other = event("message_start", R"(,"message":{"id":"msg_2"})");
  const std::string said = block_start(0, text_block) + text_delta(0, R"("a")");
  CHECK(decode_stream(start() + start() + said + start() + end("end_turn")).log ==
        "started: msg_1\ntext: a\nfinish: stop\nended\n");
  CHECK(decode_stream(start() + other + said + end("end_turn")).result.has_value());
  CHECK(decode_stream(start() + said + other + end("end_turn")).result.error().kind ==
        ErrorKind::stream_cut);
}

TEST_CASE("nothing counts behind message_stop") {
  CHECK(decode_stream(start() + end("end_turn") + event("error", R"(,"error":{})")).log ==
        "started: msg_1\nfinish: stop\nended\n");
}

TEST_CASE("a character cut between its halves comes whole") {
  const auto got =
      decode_stream(start() + block_start(0, text_block) + text_delta(0, R"("\ud83d")") +
                    text_delta(0, R"("\ude00!")") + end("end_turn"));
  CHECK(got.log == "started: msg_1\ntext: \xF0\x9F\x98\x80!\nfinish: stop\nended\n");
}

TEST_CASE("the forced tool of structured output becomes text again") {
  const std::string begin = start() + block_start(0, tool_block("t", "json"));
  CHECK(decode_stream(begin + input_delta(0, R"("{\"a\":")") + input_delta(0, R"("1}")") +
                          block_stop(0) + end("tool_use"),
                      json_tool())
            .log == "started: msg_1\ntext: {\"a\":\ntext: 1}\nfinish: stop\nended\n");
  CHECK(decode_stream(begin + block_stop(0) + end("tool_use"), json_tool()).log ==
        "started: msg_1\ntext: {}\nfinish: stop\nended\n");
  CHECK(decode_stream(begin + block_stop(0) + end("max_tokens"), json_tool()).log ==
        "started: msg_1\nfinish: length\nended\n");
}

TEST_CASE("a tool of the client's own beside the forced one stays a call") {
  CHECK(decode_stream(
            start() + block_start(0, tool_block("t", "look")) + block_stop(0) + end("tool_use"),
            json_tool())
            .log == "started: msg_1\ntool 0: t look \ntool 0:   {}\nfinish: tool_calls\nended\n");
}

TEST_CASE("deltas of a block that was never begun") {
  CHECK(decode_stream(start() + text_delta(0, R"("a")") + input_delta(5, R"("{}")") +
                      block_stop(7) + end("end_turn"))
            .log == "started: msg_1\ntext: a\nfinish: stop\nended\n");
}
