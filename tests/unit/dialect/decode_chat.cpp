// The top level of a chat request into the hub.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

TEST_CASE("every scalar of the request table arrives") {
  const ChatRequest r = decode(chat_with(
      R"("temperature":1,"top_p":0.5,"frequency_penalty":-1.5,"presence_penalty":2,"top_k":40,)"
      R"("n":2,"seed":9007199254740993,"logprobs":true,"top_logprobs":5,"store":false,)"
      R"("parallel_tool_calls":false,"stream":true,"stream_options":{"include_usage":true},)"
      R"("reasoning_effort":"high","verbosity":"low","user":"u","safety_identifier":"s",)"
      R"("service_tier":"flex","modalities":["text","audio"])"));
  CHECK(r.model == "m");
  CHECK(r.temperature == 1.0);
  CHECK(r.top_p == 0.5);
  CHECK(r.frequency_penalty == -1.5);
  CHECK(r.presence_penalty == 2.0);
  CHECK(r.top_k == 40);
  CHECK(r.n == 2);
  CHECK(r.seed == 9007199254740993);
  CHECK(r.logprobs == true);
  CHECK(r.top_logprobs == 5);
  CHECK(r.store == false);
  CHECK(r.parallel_tool_calls == false);
  CHECK(r.stream);
  CHECK(r.include_usage);
  CHECK(r.reasoning_effort == "high");
  CHECK(r.verbosity == "low");
  CHECK(r.user == "u");
  CHECK(r.safety_identifier == "s");
  CHECK(r.service_tier == "flex");
  CHECK(r.modalities == std::vector<std::string>{"text", "audio"});
  CHECK(r.other.empty());
}

TEST_CASE("objects keep the client's own text") {
  const ChatRequest r = decode(chat_with(
      R"("metadata":{"z":"1", "a":"2"},"logit_bias":{"50256":-100},"audio":{"voice":"alloy"},)"
      R"("prediction":{"type":"content","content":"x"},"thinking":{"type":"enabled",)"
      R"("budget_tokens":1e3},)"
      R"("cache_control":{"type":"ephemeral"})"));
  CHECK(r.metadata_json == R"({"z":"1", "a":"2"})");
  CHECK(r.logit_bias_json == R"({"50256":-100})");
  CHECK(r.audio_json == R"({"voice":"alloy"})");
  CHECK(r.prediction_json == R"({"type":"content","content":"x"})");
  CHECK(r.thinking_json == R"({"type":"enabled","budget_tokens":1e3})");
  CHECK(r.cache_control_json == R"({"type":"ephemeral"})");
}

TEST_CASE("max_completion_tokens wins over max_tokens, in either order") {
  CHECK(decode(chat_with(R"("max_tokens":5)")).max_tokens == 5);
  CHECK(decode(chat_with(R"("max_tokens":50,"max_completion_tokens":9)")).max_tokens == 9);
  CHECK(decode(chat_with(R"("max_completion_tokens":9,"max_tokens":50)")).max_tokens == 9);
}

TEST_CASE("stop is one string or several") {
  CHECK(decode(chat_with(R"("stop":"\n")")).stop == std::vector<std::string>{"\n"});
  CHECK(decode(chat_with(R"("stop":["a","b"])")).stop == std::vector<std::string>{"a", "b"});
  CHECK(decode(chat_with(R"("stop":null)")).stop.empty());
  check_invalid(chat_with(R"("stop":5)"), "stop");
  check_invalid(chat_with(R"("stop":["a",5])"), "stop[1]");
}

TEST_CASE("response formats") {
  using Kind = ResponseFormat::Kind;
  CHECK(decode(chat_with("")).response_format.kind == Kind::unset);
  CHECK(decode(chat_with(R"("response_format":{"type":"text"})")).response_format.kind ==
        Kind::text);
  CHECK(decode(chat_with(R"("response_format":{"type":"json_object"})")).response_format.kind ==
        Kind::json_object);
  const ResponseFormat format =
      decode(chat_with(R"("response_format":{"type":"json_schema","json_schema":{"strict":true,)"
                       R"("name":"N","description":"D","schema":{"b":1, "a":2}}})"))
          .response_format;
  CHECK(format.kind == Kind::json_schema);
  CHECK(format.name == "N");
  CHECK(format.description == "D");
  CHECK(format.strict == true);
  CHECK(format.schema_json == R"({"b":1, "a":2})");
}

TEST_CASE("wrong response formats name their parameter") {
  check_invalid(chat_with(R"("response_format":"json")"), "response_format");
  check_invalid(chat_with(R"("response_format":{})"), "response_format.type");
  check_invalid(chat_with(R"("response_format":{"type":"xml"})"), "response_format.type");
  check_invalid(chat_with(R"("response_format":{"type":"json_schema"})"),
                "response_format.json_schema");
  check_invalid(chat_with(R"("response_format":{"type":"json_schema","json_schema":{}})"),
                "response_format.json_schema.name");
  check_invalid(
      chat_with(
          R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":[]}})"),
      "response_format.json_schema.schema");
}

TEST_CASE("unknown members are kept in the client's order, with their text") {
  const ChatRequest r =
      decode(chat_with(R"("zeta":1e400,"web_search_options":{},"alpha":"\ud83d","gone":null,)"
                       R"("prompt_cache_key":"k")"));
  const std::vector<RawField> expected{{"zeta", "1e400"},
                                       {"web_search_options", "{}"},
                                       {"alpha", R"("\ud83d")"},
                                       {"prompt_cache_key", R"("k")"}};
  CHECK(r.other == expected);
}

TEST_CASE("JSON null is the same as absent everywhere") {
  const ChatRequest r = decode(chat_with(
      R"("temperature":null,"tools":null,"tool_choice":null,"response_format":null,"seed":null,)"
      R"("metadata":null,"functions":null,"function_call":null,"modalities":null)"));
  CHECK_FALSE(r.temperature);
  CHECK_FALSE(r.seed);
  CHECK(r.tools.empty());
  CHECK(r.tool_choice.mode == ToolChoice::Mode::unset);
  CHECK(r.metadata_json.empty());
}

TEST_CASE("wrong types name their parameter") {
  check_invalid(chat_with(R"("temperature":"warm")"), "temperature");
  check_invalid(chat_with(R"("seed":1.5)"), "seed");
  check_invalid(chat_with(R"("logprobs":1)"), "logprobs");
  check_invalid(chat_with(R"("metadata":[])"), "metadata");
  check_invalid(chat_with(R"("modalities":"text")"), "modalities");
  check_invalid(chat_with(R"("reasoning_effort":3)"), "reasoning_effort");
  check_invalid(chat_with(R"("logit_bias":"x")"), "logit_bias");
  check_invalid(chat_with(R"("thinking":true)"), "thinking");
}

TEST_CASE("the view decodes once and keeps the result") {
  const std::string body = chat_with(R"("top_p":0.25)");
  const auto view = read_body(body);
  const auto first = view->chat();
  REQUIRE(first);
  CHECK((*first)->top_p == 0.25);
  CHECK(*view->chat() == *first);
}

TEST_CASE("the view hands on what is malformed") {
  const std::string body = chat_with(R"("top_p":"x")");
  const auto view = read_body(body);
  const auto request = view->chat();
  REQUIRE(!request);
  CHECK(request.error().param == "top_p");
}
