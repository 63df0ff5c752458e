// Whole chat replies, rendered from events.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

constexpr std::string_view head =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"asked",)"
    R"("choices":[)";

std::string whole(const Events& events, bool legacy = false) {
  ReplyContext context = whole_context();
  context.legacy_functions = legacy;
  const auto frames = translated(events);
  const std::string out = render(context, frames);
  CHECK(render_cut(context, frames) == out);
  return out;
}

std::string body(std::string_view choices, std::string_view tail = "") {
  return std::string(head).append(choices).append("]").append(tail).append("}");
}

std::string one(std::string_view message, std::string_view reason, std::string_view index = "0") {
  return std::string("{\"index\":")
      .append(index)
      .append(R"(,"message":{"role":"assistant",)")
      .append(message)
      .append(R"(},"logprobs":null,"finish_reason":")")
      .append(reason)
      .append("\"}");
}

}  // namespace

TEST_CASE("a text") {
  CHECK(whole({Started{"", "claude", 0}, TextDelta{0, "Hel"}, TextDelta{0, "lo"},
               Finished{0, FinishReason::length}, UsageEvent{Usage{.input = 2, .output = 3}},
               Ended{}}) ==
        body(one(R"("content":"Hello","refusal":null)", "length"),
             R"(,"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,)"
             R"("prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
             R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}})"));
}

TEST_CASE("no choice at all is one choice without content") {
  CHECK(whole({Started{"", "", 0}, Ended{}}) ==
        body(one(R"("content":null,"refusal":null)", "stop")));
}

TEST_CASE("a refusal") {
  CHECK(whole({RefusalDelta{0, "n"}, RefusalDelta{0, "o"}, Finished{}}) ==
        body(one(R"("content":null,"refusal":"no")", "stop")));
}

TEST_CASE("choices and calls come in the order of their indices") {
  CHECK(whole({TextDelta{1, "b"}, TextDelta{0, "a"}, Finished{1, FinishReason::stop},
               Finished{0, FinishReason::stop}}) ==
        body(one(R"("content":"a","refusal":null)", "stop") + "," +
             one(R"("content":"b","refusal":null)", "stop", "1")));
  const std::string out =
      whole({ToolDelta{0, 1, "c2", "g", "{}", ""}, ToolDelta{0, 0, "c1", "f", "{}", ""}});
  CHECK(out.find("c1") < out.find("c2"));
}

TEST_CASE("calls: present only where there are any, arguments never empty after a full stop") {
  CHECK(
      whole({ToolDelta{0, 0, "c1", "add", R"({"a")", ""}, ToolDelta{0, 0, "", "", ":1}", "sig"},
             ToolDelta{0, 1, "", "now", "", ""}, Finished{0, FinishReason::tool_calls}}) ==
      body(one(
          R"("content":null,"refusal":null,"tool_calls":[{"id":"c1","type":"function","function":)"
          R"({"name":"add","arguments":"{\"a\":1}"},)"
          R"("extra_content":{"google":{"thought_signature":"sig"}}},)"
          R"({"id":"call_chatcmpl-1_0_1","type":"function","function":{"name":"now",)"
          R"("arguments":"{}"}}])",
          "tool_calls")));
  CHECK(whole({ToolDelta{0, 0, "c", "f", "", ""}, Finished{0, FinishReason::length}})
            .find(R"("arguments":"")") != std::string::npos);
}

TEST_CASE("of several calls only the last can be one that the limit cut") {
  const std::string out =
      whole({ToolDelta{0, 0, "c1", "f", "", ""}, ToolDelta{0, 1, "c2", "g", "", ""},
             Finished{0, FinishReason::length}});
  CHECK(out.find(R"("name":"f","arguments":"{}")") != std::string::npos);
  CHECK(out.find(R"("name":"g","arguments":"")") != std::string::npos);
}

TEST_CASE("who asked with functions is answered with a function_call") {
  CHECK(
      whole({ToolDelta{0, 0, "c1", "f", "{}", ""}, Finished{0, FinishReason::tool_calls}}, true) ==
      body(one(R"("content":null,"refusal":null,"function_call":{"name":"f","arguments":"{}"})",
               "function_call")));
}

TEST_CASE("reasoning and its blocks") {
  CHECK(whole({ReasoningDelta{0, "a", "", ""}, ReasoningDelta{0, "b", "sig", ""},
               ReasoningDelta{0, "", "", "blob"}, TextDelta{0, "x"}, Finished{}}) ==
        body(one(R"("content":"x","refusal":null,"reasoning_content":"ab","thinking_blocks":[)"
                 R"({"type":"thinking","thinking":"ab","signature":"sig"},)"
                 R"({"type":"redacted_thinking","data":"blob"}])",
                 "stop")));
}

TEST_CASE("extras: logprobs beside the message, others in it; pieces are put together") {
  const std::string out =
      whole({TextDelta{0, "x"}, ExtraDelta{0, "logprobs", R"({"content":[1],"refusal":null})"},
             ExtraDelta{0, "logprobs", R"({"content":[2, 3],"more":1})"},
             ExtraDelta{0, "annotations", "[ ]"}, ExtraDelta{0, "annotations", R"([{"a":1}])"},
             ExtraDelta{0, "audio", R"({"id":"1"})"}, ExtraDelta{0, "audio", R"({"id":"2"})"},
             Finished{}});
  CHECK(
      out.find(
          R"(},"logprobs":{"content":[1,2, 3],"refusal":null,"more":1},"finish_reason":"stop"})") !=
      std::string::npos);
  CHECK(out.find(R"("annotations":[{"a":1}],"audio":{"id":"2"}})") != std::string::npos);
}

TEST_CASE("what came out goes in again") {
  const std::string out = whole({ReasoningDelta{0, "why", "sig", ""},
                                 ToolDelta{0, 0, "c1", "f", R"({"é":"\ud83d"})", "gem"},
                                 Finished{0, FinishReason::tool_calls}});
  const std::size_t at = out.find(R"({"role":"assistant")");
  const std::size_t end = out.find(R"(,"logprobs")");
  const ChatRequest again = decode(chat_of(out.substr(at, end - at)));
  const Message& message = again.messages.front();
  CHECK(message.reasoning == "why");
  REQUIRE(message.thinking.size() == 1);
  CHECK(message.thinking[0].text == "why");
  CHECK(message.thinking[0].signature == "sig");
  REQUIRE(message.tool_calls.size() == 1);
  CHECK(message.tool_calls[0].arguments == R"({"é":"\ud83d"})");
  CHECK(message.tool_calls[0].signature == "gem");
}

TEST_CASE("a whole reply that fails is the error's body") {
  const auto encoder = openai_chat().encoder(whole_context());
  Pieces out;
  const Error error = make_error(ErrorKind::internal, "x");
  encoder->fail(error, out);
  CHECK(out.joined() == openai_chat().render_error(error));
}
