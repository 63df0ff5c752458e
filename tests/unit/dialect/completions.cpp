// /v1/completions from events, as the demo provider answers it.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

constexpr std::string_view head =
    R"({"id":"chatcmpl-1","object":"text_completion","created":1700000000,"model":"asked",)"
    R"("choices":[)";

std::string chunk_of(std::string_view text, std::string_view finish, std::string_view tail = "") {
  return std::string("data: ")
      .append(head)
      .append(R"({"index":0,"text":")")
      .append(text)
      .append(R"(","logprobs":null,"finish_reason":)")
      .append(finish)
      .append("}]")
      .append(tail)
      .append("}\n\n");
}

const Events events{Started{"", "demo", 0},
                    TextDelta{0, "a"},
                    TextDelta{0, "b"},
                    Finished{0, FinishReason::length},
                    UsageEvent{Usage{.input = 1, .output = 2}},
                    Ended{}};

}  // namespace

TEST_CASE("a streamed completion has neither roles nor deltas") {
  ReplyContext context = stream_context();
  context.endpoint = Endpoint::completions;
  const std::string out = render(context, translated(events));
  CHECK(out == chunk_of("a", "null") + chunk_of("b", "null") + chunk_of("", R"("length")") +
                   std::string(done));
  CHECK(render_cut(context, translated(events)) == out);
}

TEST_CASE("usage in a streamed completion") {
  ReplyContext context = stream_context();
  context.endpoint = Endpoint::completions;
  context.include_usage = true;
  const std::string out = render(context, translated(events));
  CHECK(out.starts_with(chunk_of("a", "null", R"(,"usage":null)")));
  CHECK(out.find(R"("choices":[],"usage":{"prompt_tokens":1,)") != std::string::npos);
}

TEST_CASE("an empty streamed completion still finishes") {
  ReplyContext context = stream_context();
  context.endpoint = Endpoint::completions;
  CHECK(render(context, {}) == chunk_of("", R"("stop")") + std::string(done));
}

TEST_CASE("a whole completion") {
  ReplyContext context = whole_context();
  context.endpoint = Endpoint::completions;
  const std::string out = render(context, translated(events));
  CHECK(out.starts_with(std::string(head) +
                        R"({"text":"ab","index":0,"logprobs":null,"finish_reason":"length"}],)"
                        R"("usage":{"prompt_tokens":1,)"));
}
