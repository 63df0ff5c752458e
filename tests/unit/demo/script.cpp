#include <doctest/doctest.h>

#include "routing/providers/demo_script.hpp"

using namespace tollgate;
using namespace tollgate::routing;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::string_view path = "/v1/chat/completions";

DemoScript ask(const std::string& model, const std::string& more = "",
               std::string_view target = path) {
  return make_demo_script(target,
                          "{\"model\":\"" + model +
                              R"(","messages":[{"role":"user","content":"good day"}])" + more + "}",
                          1);
}

std::string bytes_of(const DemoScript& script) {
  std::string all;
  for (const DemoStep& step : script.steps)
    all += step.bytes;
  return all;
}

bool says(const DemoScript& script, std::string_view text) {
  return bytes_of(script).find(text) != std::string::npos;
}

const std::string stream = R"(,"stream":true)";

}  // namespace

TEST_CASE("equal requests have equal answers, and the answer shows that the question was read") {
  CHECK(bytes_of(ask("demo")) == bytes_of(ask("demo")));
  CHECK(says(ask("demo"), R"(You said \"good day\".)"));
  CHECK(says(ask("demo"), R"("completion_tokens":40)"));
}

TEST_CASE("words come one by one at the given rate") {
  const DemoScript script = ask("demo,words=3,rate=4,delay=2s", stream);
  CHECK(script.head_delay == seconds(2));
  REQUIRE(script.steps.size() == 6);  // role, three words, finish, [DONE]
  CHECK(script.steps[0].delay == microseconds(0));
  for (std::size_t word = 1; word <= 3; ++word)
    CHECK(script.steps[word].delay == milliseconds(250));
  CHECK(script.steps.back().bytes == "data: [DONE]\n\n");
  CHECK_FALSE(script.dies);
}

TEST_CASE("a whole reply comes when its last word would have come") {
  CHECK(ask("demo,words=10,rate=5,delay=1s").head_delay == seconds(3));
}

TEST_CASE("the connection dies after so many words") {
  const DemoScript script = ask("demo,words=5,die_after=2", stream);
  CHECK(script.dies);
  CHECK(script.steps.size() == 3);
  CHECK_FALSE(says(script, "[DONE]"));
  CHECK_FALSE(ask("demo,words=5,die_after=9", stream).dies);
  const DemoScript whole = ask("demo,words=5,die_after=2");
  CHECK(whole.dies);
  CHECK_FALSE(bytes_of(whole).ends_with("}"));
}

TEST_CASE("a failure by name, after its delay") {
  const DemoScript script = ask("demo,status=503,delay=10ms", stream);
  CHECK(script.status == 503);
  CHECK(script.head_delay == milliseconds(10));
  CHECK(says(script, R"("type":"server_error")"));
  CHECK(ask("demo,status=429").headers.back() ==
        std::pair<std::string, std::string>("retry-after", "1"));
}

TEST_CASE("a name with an unknown part is no model") {
  for (const std::string name :
       {"demox", "demo,speed=1", "demo,rate=0", "demo,rate=-1", "demo,rate=x", "demo,",
        "demo,delay=-2s", "demo,delay=2x", "demo,words=99999999", "demo,status=99",
        "demo,status=302", "demo,die_after=", "rate"}) {
    CAPTURE(name);
    CHECK(ask(name).status == 404);
    CHECK(says(ask(name), R"("code":"model_not_found")"));
  }
  CHECK(ask("rate=5").status == 200);
}

TEST_CASE("usage is sent in a stream where it was asked for") {
  CHECK_FALSE(says(ask("demo,words=2", stream), "\"usage\""));
  CHECK(says(ask("demo,words=2", stream + R"(,"stream_options":{"include_usage":true})"),
             R"("choices":[],"usage":{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8)"));
}

TEST_CASE("max_tokens and stop cut the answer") {
  CHECK(says(ask("demo", R"(,"max_tokens":3)"), R"("finish_reason":"length")"));
  CHECK(says(ask("demo", R"(,"max_tokens":3)"), R"("completion_tokens":3)"));
  const DemoScript stopped = ask("demo", R"(,"stop":["good"])");
  CHECK(says(stopped, R"("content":"You said \"")"));
  CHECK(says(stopped, R"("finish_reason":"stop")"));
}

TEST_CASE("several choices, each its own answer") {
  const DemoScript script = ask("demo,words=4", R"(,"n":2)");
  CHECK(says(script, R"("index":1)"));
  CHECK(says(script, "Answer 2:"));
}

TEST_CASE("tools are called as the client wants it") {
  const std::string two = R"(,"tools":[{"type":"function","function":{"name":"one","parameters":)"
                          R"({"type":"object","properties":{"n":{"type":"integer"}}}}},)"
                          R"({"type":"function","function":{"name":"two"}}])";
  CHECK(says(ask("demo", two), R"("name":"one","arguments":"{\"n\":1}")"));
  CHECK(says(ask("demo", two), R"("name":"two","arguments":"{}")"));
  CHECK(says(ask("demo", two), R"("finish_reason":"tool_calls")"));
  CHECK_FALSE(says(ask("demo", two + R"(,"parallel_tool_calls":false)"), "\"two\""));
  CHECK_FALSE(says(ask("demo", two + R"(,"tool_choice":"none")"), "tool_calls"));
  const DemoScript named =
      ask("demo", two + R"(,"tool_choice":{"type":"function","function":{"name":"two"}})");
  CHECK(says(named, "\"two\""));
  CHECK_FALSE(says(named, "\"one\""));
}

TEST_CASE("a tool's result is used in the answer") {
  const DemoScript script = make_demo_script(
      path,
      R"({"model":"demo","tools":[{"type":"function","function":{"name":"f"}}],"messages":[)"
      R"({"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"a","type":)"
      R"("function","function":{"name":"f","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"a","content":"rain, 12 degrees"}]})",
      1);
  CHECK(says(script, R"(The tool answered \"rain, 12 degrees\".)"));
  CHECK_FALSE(says(script, "tool_calls"));
}

TEST_CASE("structured output") {
  CHECK(says(ask("demo", R"(,"response_format":{"type":"json_object"})"), R"("content":"{)"));
  CHECK(says(ask("demo", R"(,"response_format":{"type":"json_schema","json_schema":{"name":"s",)"
                         R"("schema":{"type":"object","properties":{"a":{"const":7}}}}})"),
             R"("content":"{\"a\":7}")"));
}

TEST_CASE("completions and embeddings") {
  CHECK(says(make_demo_script("/v1/completions", R"({"model":"demo,words=9","prompt":"abc"})", 1),
             R"("text":"You wrote \"abc\".)"));
  const auto embed = [](const std::string& more) {
    return make_demo_script("/v1/embeddings", R"({"model":"demo",)" + more + "}", 1);
  };
  CHECK(bytes_of(embed(R"("input":"a")")) == bytes_of(embed(R"("input":"a")")));
  CHECK(embed(R"("input":"a","dimensions":99999)").status == 400);
  CHECK(says(embed(R"("input":"a","dimensions":99999)"), R"("param":"dimensions")"));
}

TEST_CASE("a request that is no request is a 400, never a crash") {
  CHECK(make_demo_script(path, "{", 1).status == 400);
  CHECK(make_demo_script(path, R"({"model":"demo","messages":[{"role":5}]})", 1).status == 400);
}
