// Calls in translated chat streams.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

std::string stream(const Events& events, bool legacy = false) {
  ReplyContext context = stream_context();
  context.legacy_functions = legacy;
  const std::string out = render(context, translated(events));
  CHECK(render_cut(context, translated(events)) == out);
  return out;
}

std::string opening(std::string_view index, std::string_view id, std::string_view name) {
  return delta(std::string(R"("tool_calls":[{"index":)")
                   .append(index)
                   .append(R"(,"id":")")
                   .append(id)
                   .append(R"(","type":"function","function":{"name":")")
                   .append(name)
                   .append(R"(","arguments":""}}])"));
}
std::string arguments(std::string_view index, std::string_view escaped) {
  return delta(std::string(R"("tool_calls":[{"index":)")
                   .append(index)
                   .append(R"(,"function":{"arguments":")")
                   .append(escaped)
                   .append(R"("}}])"));
}

}  // namespace

TEST_CASE("id, type and name come once, arguments in slices by index") {
  CHECK(stream({ToolDelta{0, 0, "c1", "add", "", ""}, ToolDelta{0, 0, "", "", R"({"a")", ""},
                ToolDelta{0, 1, "c2", "sub", "{}", ""}, ToolDelta{0, 0, "c1", "add", ":1}", ""},
                Finished{0, FinishReason::tool_calls}, Ended{}}) ==
        role() + opening("0", "c1", "add") + arguments("0", R"({\"a\")") +
            opening("1", "c2", "sub") + arguments("1", "{}") + arguments("0", ":1}") +
            finish("tool_calls") + std::string(done));
}

TEST_CASE("a call without arguments is one with none") {
  CHECK(stream({ToolDelta{0, 0, "c1", "now", "", ""}, Finished{0, FinishReason::tool_calls},
                Ended{}}) == role() + opening("0", "c1", "now") + arguments("0", "{}") +
                                 finish("tool_calls") + std::string(done));
}

TEST_CASE("a call without arguments is whole before the next one begins") {
  // SDKs parse a call's arguments at that moment.
  CHECK(stream({ToolDelta{0, 0, "c1", "now", "", ""}, ToolDelta{0, 1, "c2", "cut", "", ""},
                Finished{0, FinishReason::length}, Ended{}}) ==
        role() + opening("0", "c1", "now") + arguments("0", "{}") + opening("1", "c2", "cut") +
            finish("length") + std::string(done));
}

TEST_CASE("a call that the token limit cut stays as it came") {
  CHECK(
      stream({ToolDelta{0, 0, "c1", "now", "", ""}, Finished{0, FinishReason::length}, Ended{}}) ==
      role() + opening("0", "c1", "now") + finish("length") + std::string(done));
}

TEST_CASE("an end without a finish, but with calls") {
  CHECK(stream({ToolDelta{0, 0, "c1", "f", "{}", ""}}) ==
        role() + opening("0", "c1", "f") + arguments("0", "{}") + finish("tool_calls") +
            std::string(done));
}

TEST_CASE("a call without an id gets one that is the same at every rendering") {
  CHECK(stream({ToolDelta{2, 1, "", "f", "{}", ""}}).find(R"("id":"call_chatcmpl-1_2_1")") !=
        std::string::npos);
}

TEST_CASE("a thought signature goes where clients of Gemini look") {
  CHECK(stream({ToolDelta{0, 0, "c1", "f", "{}", "sig"}, Ended{}})
            .find(R"("function":{"arguments":"{}"},)"
                  R"("extra_content":{"google":{"thought_signature":"sig"}}}])") !=
        std::string::npos);
}

TEST_CASE("indices belong to their choice") {
  const std::string out =
      stream({ToolDelta{0, 0, "a", "f", "{}", ""}, ToolDelta{1, 0, "b", "g", "{}", ""}});
  CHECK(out.find(R"("id":"a")") != std::string::npos);
  CHECK(out.find(R"("id":"b")") != std::string::npos);
}

TEST_CASE("who asked with functions is answered with a function_call") {
  CHECK(stream({ToolDelta{0, 0, "c1", "f", "{}", "s"}, ToolDelta{0, 1, "c2", "g", "{}", ""},
                Finished{0, FinishReason::tool_calls}, Ended{}},
               true) == role() + delta(R"("function_call":{"name":"f","arguments":""})") +
                            delta(R"("function_call":{"arguments":"{}"})") +
                            finish("function_call") + std::string(done));
}
