#include <doctest/doctest.h>

#include "tests/unit/gemini/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini::test;

namespace {
constexpr std::string_view schema_format =
    R"("response_format":{"type":"json_schema","json_schema":{"name":"s","schema":)"
    R"({"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}}})";
constexpr std::string_view one_tool = R"(,"tools":[{"type":"function","function":{"name":"f"}}])";
}  // namespace

TEST_CASE("where it goes") {
  CHECK(encode_with("").target == "/v1beta/models/gemini-2.5-flash:generateContent");
  CHECK(encode_with(R"("stream":true)").target ==
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
  CHECK(encode_with("", {.base_path = "/v1"}).target ==
        "/v1/models/gemini-2.5-flash:generateContent");
  CHECK(encode_with("", {.base_path = "/proxy/v1beta"}).target ==
        "/proxy/v1beta/models/gemini-2.5-flash:generateContent");
  CHECK(encode_with("", {.base_path = "/proxy"}).target ==
        "/proxy/v1beta/models/gemini-2.5-flash:generateContent");
  CHECK(encode_with("", {.model = "models/gemini-2.0-flash"}).target ==
        "/v1beta/models/gemini-2.0-flash:generateContent");
  CHECK(encode_with("", {.model = "tunedModels/mine-1"}).target ==
        "/v1beta/tunedModels/mine-1:generateContent");
}

TEST_CASE("a model name cannot lead anywhere else") {
  for (std::string_view name : {"", ".", "..", "a/../b", "../x", "x:deleteModel", "x?key=1", "x#y",
                                "a%2F..", "models/", "tunedModels/../x", "a b", "a\\b"}) {
    CAPTURE(name);
    const Sent sent = encode_with("", {.model = name});
    CHECK(sent.error_param == "model");
    CHECK(sent.error_kind == ErrorKind::model_not_found);
  }
}

TEST_CASE("generationConfig") {
  const Sent sent = encode_with(
      R"("max_completion_tokens":9,"temperature":0.5,"top_p":0.9,"top_k":4,"n":2,"seed":7,)"
      R"("stop":["a","","b"],"presence_penalty":1,"frequency_penalty":-1,"logprobs":true,)"
      R"("top_logprobs":3)");
  CHECK(sent.body.contains(
      R"("generationConfig":{"temperature":0.5,"topP":0.9,"frequencyPenalty":-1,)"
      R"("presencePenalty":1,"topK":4,"maxOutputTokens":9,"candidateCount":2,"seed":7,)"
      R"("stopSequences":["a","b"],"responseLogprobs":true,"logprobs":3})"));
  CHECK(sent.dropped == "");
  CHECK(!encode_with("").body.contains("generationConfig"));
}

TEST_CASE("what does not fit is cut or named") {
  CHECK(encode_with(R"("seed":4294967296)").dropped == "seed");
  CHECK(encode_with(R"("top_k":0)").body.contains(R"("topK":1)"));
  CHECK(
      encode_with(R"("max_tokens":99999999999)").body.contains(R"("maxOutputTokens":2147483647)"));
}

TEST_CASE("JSON by model, and not beside tools before Gemini 3") {
  CHECK(
      encode_with(schema_format)
          .body.contains(
              R"({"responseMimeType":"application/json","responseJsonSchema":{"type":"object",)"));
  CHECK(encode_with(schema_format, {.model = "gemini-2.0-flash"})
            .body.contains(R"("responseSchema":{"type":"OBJECT","properties":)"));
  const std::string both = std::string(schema_format) + std::string(one_tool);
  CHECK(encode_with(both).dropped == "response_format");
  CHECK(!encode_with(both).body.contains("responseMimeType"));
  CHECK(encode_with(both, {.model = "gemini-3.5-flash"}).dropped == "");
  CHECK(encode_with(both, {.refuse = true}).error_param == "response_format");
  CHECK(encode_with(R"("response_format":{"type":"json_object"})")
            .body.contains(R"({"responseMimeType":"application/json"})"));
}

TEST_CASE("hints without a place are named, or refused") {
  constexpr std::string_view hints =
      R"("user":"u","metadata":{"a":"b"},"logit_bias":{"5":1},"store":true,"verbosity":"low",)"
      R"("unheard_of":1,"base_url":"x")";
  CHECK(encode_with(hints).dropped == "user,metadata,logit_bias,store,verbosity,unheard_of");
  CHECK(encode_with(hints, {.refuse = true}).error_param == "user");
  CHECK(encode_with(hints, {.refuse = true}).error_kind == ErrorKind::unsupported_parameter);
}

TEST_CASE("values that ask for nothing are no loss") {
  CHECK(encode_with(R"("logit_bias":{},"metadata":{},"store":false,"n":1,"user":null,)"
                    R"("logprobs":false,"modalities":["text"],"service_tier":"auto")",
                    {.refuse = true})
            .body == R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})");
}

TEST_CASE("output forms and tiers") {
  CHECK(encode_with(R"("modalities":["text","image"])")
            .body.contains(R"("responseModalities":["TEXT","IMAGE"])"));
  CHECK(encode_with(R"("modalities":["smell"])").error_param == "modalities");
  CHECK(encode_with(R"("modalities":["audio"],"audio":{"voice":"Kore","format":"pcm16"})")
            .body.contains(R"("speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":)"
                           R"({"voiceName":"Kore"}}})"));
  CHECK(encode_with(R"("service_tier":"flex")").body.contains(R"("serviceTier":"flex")"));
  CHECK(encode_with(R"("service_tier":"default")").body.contains(R"("serviceTier":"standard")"));
  CHECK(encode_with(R"("service_tier":"scale")").dropped == "service_tier");
}

TEST_CASE("Gemini's own fields pass") {
  const Sent sent = encode_with(
      R"("safety_settings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}],)"
      R"("cachedContent":"cachedContents/1")");
  CHECK(sent.body.contains(R"("safetySettings":[{"category":)"));
  CHECK(sent.body.contains(R"("cachedContent":"cachedContents/1")"));
  CHECK(encode_with(R"("safety_settings":"x")").error_param == "safety_settings");
}

TEST_CASE("fields that choose a route are refused") {
  CHECK(encode_with(R"("models":["a"])").error_param == "models");
}
