#include "tests/unit/app/kinds.hpp"

#include <algorithm>
#include <doctest/doctest.h>

#include "routing/providers/registry.hpp"

namespace tollgate::app::test {
namespace {

std::string data(const std::string& json) { return "data: " + json + "\n\n"; }

std::string openai_chunk(const std::string& delta, const std::string& finish) {
  return data(R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"u","choices":[)"
              R"({"index":0,"delta":)" +
              delta + R"(,"finish_reason":)" + finish + "}]}");
}

KindReply openai(std::string_view kind) {
  return {.kind = kind,
          .stream = {openai_chunk(R"({"role":"assistant","content":""})", "null"),
                     openai_chunk(R"({"content":"Hel"})", "null"),
                     openai_chunk(R"({"content":"lo"})", "null"),
                     openai_chunk("{}", "\"stop\"") + data("[DONE]")},
          .whole = {R"({"id":"c","object":"chat.completion","created":1,"model":"u","choices":[)",
                    R"({"index":0,"message":{"role":"assistant","content":"Hello"},)",
                    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":1,)"
                    R"("completion_tokens":2,"total_tokens":3}})"}};
}

std::string anthropic_text(const std::string& text) {
  return data(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" +
              text + "\"}}");
}

KindReply anthropic() {
  const std::string head = R"("id":"m","type":"message","role":"assistant","model":"u",)";
  return {.kind = "anthropic",
          .stream = {data(R"({"type":"message_start","message":{)" + head +
                          R"("content":[],"stop_reason":null,)"
                          R"("usage":{"input_tokens":1,"output_tokens":1}}})") +
                         data(R"({"type":"content_block_start","index":0,"content_block":)"
                              R"({"type":"text","text":""}})"),
                     anthropic_text("Hel"), anthropic_text("lo"),
                     data(R"({"type":"content_block_stop","index":0})") +
                         data(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},)"
                              R"("usage":{"output_tokens":2}})") +
                         data(R"({"type":"message_stop"})")},
          .whole = {"{" + head, R"("content":[{"type":"text","text":"Hello"}],)",
                    R"("stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}})"}};
}

std::string gemini_candidate(const std::string& text, const std::string& more) {
  return R"({"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":")" + text +
         "\"}]}" + more;
}

KindReply gemini() {
  const std::string end = R"(,"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,)"
                          R"("candidatesTokenCount":2,"totalTokenCount":3}})";
  return {.kind = "gemini",
          .stream = {data(gemini_candidate("", "}]}")), data(gemini_candidate("Hel", "}]}")),
                     data(gemini_candidate("lo", "}]}")), data(gemini_candidate("", end))},
          .whole = {gemini_candidate("Hello", end).substr(0, 20),
                    gemini_candidate("Hello", end).substr(20, 20),
                    gemini_candidate("Hello", end).substr(40)}};
}

}  // namespace

const std::vector<KindReply>& kind_replies() {
  static const std::vector<KindReply> all{openai("openai"), openai("demo"), anthropic(), gemini()};
  for (const routing::Provider* provider : routing::providers()) {
    CAPTURE(provider->kind());
    REQUIRE(std::ranges::count(all, provider->kind(), &KindReply::kind) == 1);
  }
  return all;
}

}  // namespace tollgate::app::test
