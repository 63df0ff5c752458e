#include <doctest/doctest.h>

#include "tests/unit/anthropic/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::anthropic::test;

namespace {
std::string with(std::string_view members) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
         (members.empty() ? "" : "," + std::string(members)) + "}";
}
constexpr std::string_view plain = "claude-haiku-4-5";
}  // namespace

TEST_CASE("the simplest request") {
  const auto got = encode(with(""), plain);
  CHECK(got.body == R"({"model":"claude-haiku-4-5","max_tokens":64000,"messages":[{"role":"user",)"
                    R"("content":[{"type":"text","text":"hi"}]}]})");
  CHECK(got.target == "/v1/messages");
  CHECK(got.dropped.empty());
}

TEST_CASE("sampling: ranges, pairs, and models that take none") {
  CHECK(encode(with(R"("temperature":1.7)"), plain).body.contains(R"("temperature":1)"));
  CHECK(encode(with(R"("temperature":1.7)"), plain, true).error_param == "temperature");
  const auto both = encode(with(R"("temperature":0.5,"top_p":0.9,"top_k":5)"), plain);
  CHECK(both.body.contains(R"("temperature":0.5)"));
  CHECK(both.body.contains(R"("top_k":5)"));
  CHECK(both.dropped == "top_p");
  CHECK(encode(with(R"("temperature":0.5,"top_p":0.9,"top_k":5)"), "claude-opus-4-8").dropped ==
        "temperature,top_p,top_k");
  CHECK(encode(with(R"("temperature":0.5,"reasoning_effort":"high")"), plain).dropped ==
        "temperature");
}

TEST_CASE("what would change the reply's meaning is refused, hints are named") {
  for (const auto& [members, param] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"("n":2)", "n"},
           {R"("logprobs":true)", "logprobs"},
           {R"("modalities":["text","audio"],"audio":{})", "modalities"},
           {R"("tool_choice":"required")", "tool_choice"},
           {R"("tools":[{"type":"custom","custom":{"name":"c"}}])", "tools[0]"}}) {
    CAPTURE(members);
    CHECK(encode(with(members), plain).error_param == param);
  }
  constexpr std::string_view hints =
      R"("seed":1,"presence_penalty":0.5,"logit_bias":{"5":1},"metadata":{"a":"b"},"store":true,)"
      R"("unheard_of":1)";
  CHECK(encode(with(hints), plain).dropped ==
        "seed,presence_penalty,logit_bias,store,metadata,unheard_of");
  CHECK(encode(with(hints), plain, true).error_param == "seed");
}

TEST_CASE("values that ask for nothing are no loss") {
  const auto got = encode(
      with(R"("n":1,"logprobs":false,"store":false,"presence_penalty":0,"logit_bias":{},)"
           R"("frequency_penalty":0.0,"seed":null,"modalities":["text"],"service_tier":"auto")"),
      plain, true);
  CHECK(got.error_param.empty());
  CHECK(got.dropped.empty());
}

TEST_CASE("fields that choose a route are refused") {
  CHECK(encode(with(R"("models":["a"])"), plain).error_param == "models");
  CHECK(encode(with(R"("api_base":"http://x")"), plain).dropped.empty());
}

TEST_CASE("a schema goes the model's way") {
  constexpr std::string_view schema =
      R"("response_format":{"type":"json_schema","json_schema":{"name":"x","schema":)"
      R"({"type":"object","properties":{"a":{"type":"integer","minimum":1}}}}})";
  const auto native = encode(with(schema), plain);
  CHECK(native.body.contains(
      R"("output_config":{"format":{"type":"json_schema","schema":{"type":"object",)"
      R"("properties":{"a":{"type":"integer"}},"additionalProperties":false}}})"));
  CHECK(!native.hints.json_tool);
  const auto forced = encode(with(schema), "claude-sonnet-4-0");
  CHECK(forced.hints.json_tool);
  CHECK(forced.hints.json_tool_name == "json");
  CHECK(forced.body.contains(
      R"("tool_choice":{"type":"tool","name":"json","disable_parallel_tool_use":true})"));
  const auto beside = encode(
      with(std::string(schema) + R"(,"tools":[{"type":"function","function":{"name":"json"}}])"),
      "claude-sonnet-4-0");
  CHECK(beside.hints.json_tool_name == "json_output");
  CHECK(beside.body.contains(R"("tool_choice":{"type":"any","disable_parallel_tool_use":true})"));
}

TEST_CASE("the choice among tools") {
  constexpr std::string_view tools =
      R"("tools":[{"type":"function","function":{"name":"a"}},)"
      R"({"type":"function","function":{"name":"b","parameters":{"type":"object"}}}])";
  const auto choice = [&](std::string_view more) {
    const std::string body = encode(with(std::string(tools) + std::string(more)), plain).body;
    const auto at = body.find(R"("tool_choice":)");
    return at == std::string::npos ? std::string()
                                   : body.substr(at + 14, body.find('}', at) - at - 13);
  };
  CHECK(choice("").empty());
  CHECK(choice(R"(,"tool_choice":"auto")") == R"({"type":"auto"})");
  CHECK(choice(R"(,"tool_choice":"none","parallel_tool_calls":false)") == R"({"type":"none"})");
  CHECK(choice(R"(,"tool_choice":"required")") == R"({"type":"any"})");
  CHECK(choice(R"(,"tool_choice":{"type":"function","function":{"name":"b"}})") ==
        R"({"type":"tool","name":"b"})");
  CHECK(choice(R"(,"parallel_tool_calls":false)") ==
        R"({"type":"auto","disable_parallel_tool_use":true})");
  const auto allowed =
      encode(with(std::string(tools) +
                  R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required",)"
                  R"("tools":[{"type":"function","function":{"name":"b"}}]}})"),
             plain);
  CHECK(!allowed.body.contains(R"("name":"a")"));
  CHECK(allowed.body.contains(R"("tool_choice":{"type":"any"})"));
}
