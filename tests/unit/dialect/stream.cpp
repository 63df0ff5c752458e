// Translated chat streams: everything but calls.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

std::string stream(const Events& events, const ReplyContext& context = stream_context()) {
  const auto frames = translated(events);
  const std::string out = render(context, frames);
  CHECK(render(context, frames) == out);
  CHECK(render_cut(context, frames) == out);
  return out;
}

/// The same chunk as it is where usage was asked for.
std::string asked(std::string text) {
  const std::string end = "}]}\n\n";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = text.find(end, at);
    out += text.substr(at, next - at) + "}],\"usage\":null}\n\n";
    at = next + end.size();
  }
  return out;
}

}  // namespace

TEST_CASE("role once, content, finish with an empty delta, DONE") {
  CHECK(stream({TextDelta{0, "Hel"}, TextDelta{0, "lo\n"}, Finished{0, FinishReason::stop},
                Ended{}}) == role() + delta(R"("content":"Hel")") + delta(R"("content":"lo\n")") +
                                 finish("stop") + std::string(done));
}

TEST_CASE("each finish reason") {
  for (const auto& [reason, name] : {std::pair{FinishReason::length, "length"},
                                     std::pair{FinishReason::content_filter, "content_filter"},
                                     std::pair{FinishReason::function_call, "function_call"}}) {
    CHECK(stream({Finished{0, reason}, Ended{}}) == role() + finish(name) + std::string(done));
  }
}

TEST_CASE("the provider's id and time are taken, its model is not") {
  const std::string out = stream({Started{"msg_1", "claude", 5}, TextDelta{0, "x"},
                                  Started{"other", "other", 6}, Finished{}, Ended{}});
  CHECK(out.starts_with(
      R"(data: {"id":"msg_1","object":"chat.completion.chunk","created":5,"model":"asked",)"));
  CHECK(out.find("claude") == std::string::npos);
  CHECK(out.find("other") == std::string::npos);
}

TEST_CASE("of two starts before the first output the later one counts") {
  const std::string out =
      stream({Started{"first", "", 0}, Started{"second", "", 0}, TextDelta{0, "x"}, Ended{}});
  CHECK(out.find("first") == std::string::npos);
  CHECK(out.find(R"("id":"second")") != std::string::npos);
}

TEST_CASE("nothing goes out before there is something to say") {
  const auto encoder = openai_chat().encoder(stream_context());
  Batch batch;
  add_frame(batch, {"", {Started{"a", "b", 1}, TextDelta{0, ""}}});
  add_frame(batch, {": comment\n\n", {}});
  Pieces out;
  encoder->encode(batch, out);
  CHECK(out.empty());
}

TEST_CASE("choices have their own roles and finishes") {
  CHECK(stream({TextDelta{1, "b"}, TextDelta{0, "a"}, Finished{1, FinishReason::length},
                TextDelta{0, "a"}, Finished{0, FinishReason::stop}, Ended{}}) ==
        role("1") + delta(R"("content":"b")", "1") + role() + delta(R"("content":"a")") +
            delta(R"("content":"a")") + finish("length", "1") + finish("stop") + std::string(done));
}

TEST_CASE("a finish that is sent twice goes out once, as the last one said") {
  CHECK(stream({TextDelta{0, "x"}, Finished{0, FinishReason::stop},
                Finished{0, FinishReason::length}, Ended{}, Finished{0, FinishReason::stop}}) ==
        role() + delta(R"("content":"x")") + finish("length") + std::string(done));
}

TEST_CASE("a good end without a finish gets one") {
  CHECK(stream({TextDelta{0, "x"}}) ==
        role() + delta(R"("content":"x")") + finish("stop") + std::string(done));
  CHECK(stream({}) == role() + finish("stop") + std::string(done));
}

TEST_CASE("refusals") {
  CHECK(stream({RefusalDelta{0, "no"}, Finished{}, Ended{}}) ==
        role() + delta(R"("refusal":"no")") + finish("stop") + std::string(done));
}

TEST_CASE("reasoning as text, its signed blocks whole for the way back") {
  CHECK(stream({ReasoningDelta{0, "Hm", "", ""}, ReasoningDelta{0, " yes", "", ""},
                ReasoningDelta{0, "", "sig", ""}, ReasoningDelta{0, "", "", "blob"},
                ReasoningDelta{0, "more", "sig2", ""}, TextDelta{0, "a"}, Ended{}}) ==
        role() + delta(R"("reasoning_content":"Hm")") + delta(R"("reasoning_content":" yes")") +
            delta(R"("thinking_blocks":[{"index":0,"type":"thinking","thinking":"Hm yes",)"
                  R"("signature":"sig"}])") +
            delta(R"("thinking_blocks":[{"index":1,"type":"redacted_thinking","data":"blob"}])") +
            delta(R"("reasoning_content":"more")") +
            delta(R"("thinking_blocks":[{"index":2,"type":"thinking","thinking":"more",)"
                  R"("signature":"sig2"}])") +
            delta(R"("content":"a")") + finish("stop") + std::string(done));
}

TEST_CASE("reasoning of any length is kept within bounds and loses nothing") {
  const std::string piece(200U << 10U, 'r');
  const std::string out =
      stream({ReasoningDelta{0, piece, "", ""}, ReasoningDelta{0, piece, "", ""},
              ReasoningDelta{0, "end", "sig", ""}, Ended{}});
  CHECK(out.find(R"("thinking":")" + piece + piece + R"(","signature":"")") != std::string::npos);
  CHECK(out.find(R"({"index":0,"type":"thinking","thinking":"end","signature":"sig"})") !=
        std::string::npos);
}

TEST_CASE("logprobs stand beside the delta, other extras in it") {
  CHECK(stream({TextDelta{0, "x"}, ExtraDelta{0, "logprobs", R"({"content":[]})"},
                ExtraDelta{0, "annotations", "[1]"}, Ended{}}) ==
        role() + delta(R"("content":"x")") +
            chunk(R"("index":0,"delta":{},"logprobs":{"content":[]},"finish_reason":null)") +
            delta(R"("annotations":[1])") + finish("stop") + std::string(done));
}

TEST_CASE("usage: null on each chunk, then one chunk of its own") {
  ReplyContext context = stream_context();
  context.include_usage = true;
  const Usage first{.input = 1};
  const Usage last{.input = 3,
                   .cache_read = 4,
                   .cache_write = 5,
                   .output = 7,
                   .reasoning = 9,
                   .audio_input = 1,
                   .audio_output = 2};
  CHECK(
      stream({TextDelta{0, "x"}, UsageEvent{first}, Finished{}, UsageEvent{last}, Ended{}},
             context) ==
      asked(role() + delta(R"("content":"x")") + finish("stop")) + std::string(chunk_head) +
          R"(],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19,)"
          R"("prompt_tokens_details":{"cached_tokens":4,"audio_tokens":1,"cache_write_tokens":5},)"
          R"("completion_tokens_details":{"reasoning_tokens":7,"audio_tokens":2}}})"
          "\n\n" +
          std::string(done));
}

TEST_CASE("usage that nobody asked for stays here; usage that nobody knows is not invented") {
  CHECK(stream({TextDelta{0, "x"}, UsageEvent{Usage{.input = 1}}, Ended{}}).find("usage") ==
        std::string::npos);
  ReplyContext context = stream_context();
  context.include_usage = true;
  CHECK(stream({TextDelta{0, "x"}, Ended{}}, context).find("prompt_tokens") == std::string::npos);
}

TEST_CASE("a provider's bytes are not relayed where its dialect is another") {
  const std::vector<Fed> frames{{"data: {\"type\":\"ping\"}\n\n", {}},
                                {"data: raw\n\n", {TextDelta{0, "x"}, Finished{}, Ended{}}}};
  CHECK(render(stream_context(), frames) ==
        role() + delta(R"("content":"x")") + finish("stop") + std::string(done));
}
