#include <doctest/doctest.h>

#include "config/request_fields.hpp"
#include "policies/money/bound.hpp"

using namespace tollgate;
using namespace tollgate::policies;

namespace {

RequestFacts facts(const std::string& members, Endpoint endpoint = Endpoint::chat) {
  const std::string body = "{\"model\":\"m\"," + members + "}";
  auto view = wire::openai_chat().read(endpoint, body);
  REQUIRE_MESSAGE(view.has_value(), body);
  return facts_of(*view);
}

RequestFacts said(const std::string& members) {
  return facts(R"("messages":[{"role":"user","content":"hi"}],)" + members);
}

RequestFacts content(const std::string& parts) {
  return facts(R"("messages":[{"role":"user","content":[)" + parts + "]}]");
}

RequestFacts message(const std::string& members) {
  return facts(R"("messages":[{"role":"user","content":"a"},{)" + members + "}]");
}

std::vector<std::string> tools(const std::string& list) {
  std::vector<std::string> names;
  for (const ProviderTool& tool : said("\"tools\":[" + list + "]").provider_tools)
    names.push_back(tool.name);
  return names;
}

using Tools = std::vector<std::string>;

}  // namespace

TEST_CASE("M3: messages are counted and text is bounded by its bytes") {
  const RequestFacts plain = facts(
      R"("messages":[{"role":"system","content":"\"type\":\"file\""},
         {"role":"user","content":[{"type":"text","text":"{\"audio\":{\"id\":1}}"}]},
         {"role":"assistant","content":null,"refusal":null,"audio":null,"annotations":[],
          "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
         {"role":"tool","tool_call_id":"a","content":"1"}])");
  CHECK(plain.messages == 4);
  CHECK_FALSE(plain.opaque_input);
  CHECK_FALSE(plain.audio_input);
  CHECK(plain.images == 0);
  CHECK(plain.unpriced_field.empty());
}

TEST_CASE("M3: pictures in the request are counted, those behind URLs are opaque") {
  const std::string inlined =
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}})";
  CHECK(content(inlined + "," + inlined).images == 2);
  CHECK_FALSE(content(inlined).opaque_input);
  CHECK(content(R"({"type":"image_url","image_url":{"url":"https://x/y.png"}})").opaque_input);
  CHECK(content(R"({"type":"image_url","image_url":"https://x/y.png"})").opaque_input);
  CHECK(content(R"({"type":"image_url","image_url":{"url":"data:a","url":"https://x"}})")
            .opaque_input);
  CHECK(content(R"({"type":"image_url"})").opaque_input);
}

TEST_CASE("M3: files and unknown parts are opaque, audio is audio") {
  CHECK(content(R"({"type":"file","file":{"file_id":"f"}})").opaque_input);
  CHECK(content(R"({"type":"file","file":{"file_data":"data:application/pdf;base64,AA"}})")
            .opaque_input);
  CHECK(content(R"({"type":"video_url","video_url":{"url":"data:a"}})").opaque_input);
  CHECK(content(R"({"text":"a"})").opaque_input);
  CHECK(content(R"({"type":"file","file":{"file_id":"f"},"type":"text","text":"a"})").opaque_input);
  const RequestFacts audio =
      content(R"({"type":"input_audio","input_audio":{"data":"AA","format":"wav"}})");
  CHECK(audio.audio_input);
  CHECK_FALSE(audio.opaque_input);
}

TEST_CASE("M3: the id of an earlier reply's audio is opaque") {
  CHECK(message(R"("role":"assistant","audio":{"id":"audio_1"})").opaque_input);
  CHECK(message(R"("role":"user","content":"a","file_ids":["f"])").opaque_input);
  CHECK_FALSE(message(R"("role":"assistant","content":"a","audio":null,"weight":1)").opaque_input);
}

TEST_CASE("M3: escapes hide nothing") {
  CHECK(message(R"("role":"assistant","\u0061udio":{"id":"a"})").opaque_input);
  CHECK(content(R"({"t\u0079pe":"f\u0069le","file":{"file_id":"f"}})").opaque_input);
  CHECK(content(R"({"type":"image_url","image_url":{"u\u0072l":"https://x"}})").opaque_input);
  CHECK(facts(R"("m\u0065ssages":[{"role":"assistant","audio":{"id":"a"}}])").opaque_input);
  CHECK(said(R"("m\u006fdalities":["\u0061udio"])").audio_output);
  CHECK(said(R"("response_format":{"type":"json\u005fschema","json_schema":{}})").tools_or_schema);
  CHECK(tools(R"({"type":"web\u005fsearch"})") == Tools{"web_search"});
  CHECK(said(R"("pl\u0075gins":[])").unpriced_field == "plugins");
}

TEST_CASE("M2: an hour's cache write is found however it is written") {
  CHECK_FALSE(content(R"({"type":"text","text":"1h"})").cache_write_1h);
  CHECK_FALSE(
      content(R"({"type":"text","text":"a","cache_control":{"type":"ephemeral"}})").cache_write_1h);
  CHECK(content(R"({"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}})")
            .cache_write_1h);
  CHECK(
      content(R"({"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"\u0031h"}})")
          .cache_write_1h);
  CHECK(
      content(R"({"type":"text","text":"a","c\u0061che_control":{"type":"ephemeral","ttl":"1h"}})")
          .cache_write_1h);
  // What encoders of JSON escape by themselves.
  CHECK_FALSE(content(R"({"type":"text","text":"\u003cb\u003e \u0026 \u0027 \u00e9 \u001b"})")
                  .cache_write_1h);
}

TEST_CASE("M4: prompts, choices and limits are counted") {
  CHECK(said(R"("n":3)").choices == 3);
  CHECK(said(R"("max_tokens":5,"max_completion_tokens":9)").limit == 9);
  CHECK_FALSE(said(R"("seed":1)").limit);
  CHECK(said(R"("prediction":{"type":"content","content":"abc"})").prediction_bytes == 34);
  const auto prompts = [](const std::string& prompt) {
    return facts("\"prompt\":" + prompt, Endpoint::completions).prompts;
  };
  CHECK(prompts("\"a\"") == 1);
  CHECK(prompts(R"(["a","b","c"])") == 3);
  CHECK(prompts("[1,2,3]") == 1);
  CHECK(prompts("[[1,2],[3]]") == 2);
  CHECK(facts(R"("prompt":"a","n":2,"best_of":7)", Endpoint::completions).choices == 7);
}

TEST_CASE("M5: the client's own tools are those with a function of theirs") {
  CHECK(tools(R"({"type":"function","function":{"name":"f"}})").empty());
  CHECK(tools(R"({"function":{"name":"f"}})").empty());
  CHECK(tools(R"({"type":"custom","custom":{"name":"f"}})").empty());
  CHECK(said(R"("tools":[{"type":"function","function":{"name":"f"}}])").tools_or_schema);
}

TEST_CASE("M5: other tools are the provider's, by their type or their first member") {
  CHECK(tools(R"({"type":"web_search_20250305","name":"web_search"})") == Tools{"web_search"});
  CHECK(tools(R"({"type":"web_search_preview"})") == Tools{"web_search"});
  CHECK(tools(R"({"type":"mcp","server_url":"x"})") == Tools{"mcp"});
  CHECK(tools(R"({"google_search":{}})") == Tools{"google_search"});
  CHECK(tools(R"({"googleSearch":{}},{"code_execution":{}})") ==
        Tools{"googleSearch", "code_execution"});
  CHECK(tools(R"({"type":"function","google_search":{}})") == Tools{"google_search"});
  CHECK(tools(R"({"function":{"name":"f"},"google_search":{}})") == Tools{"google_search"});
  CHECK(tools(R"({"name":"f"})") == Tools{"unnamed"});
}

TEST_CASE("M5: a tool takes a number of uses where its type does and the client named none") {
  const auto takes = [](const std::string& tool) {
    return said("\"tools\":[{" + tool + "}]").provider_tools.front().takes_uses;
  };
  CHECK(takes(R"("type":"web_search_20250305")"));
  CHECK(takes(R"("type":"web_fetch_20250910","name":"web_fetch")"));
  for (const char* other :
       {R"("type":"web_search_20250305","max_uses":3)",
        R"("type":"web_search_20250305","max_uses":0)",
        R"("type":"web_search_20250305","max_uses":null)", R"("type":"web_search_preview")",
        R"("type":"code_execution_20250825")", R"("google_search":{})"}) {
    CAPTURE(other);
    CHECK_FALSE(takes(other));
  }
  CHECK_FALSE(said(R"("web_search_options":{})").provider_tools.front().takes_uses);
}

TEST_CASE("M5: uses of a provider's tool are bounded by max_uses alone") {
  const auto uses = [](const std::string& member) {
    return said(R"("tools":[{"type":"web_search_20250305","name":"web_search")" + member + "}]")
        .provider_tools.front()
        .max_uses;
  };
  CHECK(uses(R"(,"max_uses":3)") == 3);
  CHECK_FALSE(uses(""));
  CHECK_FALSE(uses(R"(,"max_uses":0)"));
  CHECK_FALSE(uses(R"(,"max_uses":"3")"));
  const RequestFacts options = said(R"("web_search_options":{})");
  REQUIRE(options.provider_tools.size() == 1);
  CHECK(options.provider_tools.front().name == "web_search");
  CHECK_FALSE(options.provider_tools.front().max_uses);
  CHECK(options.provider_tools.front().by_options);
}

TEST_CASE("M6: fields that are not price-neutral make the price unknown") {
  for (const char* name :
       {"models", "route", "plugins", "provider", "transforms", "fallbacks", "background",
        "search_parameters", "mcp_servers", "extra_body", "moderation", "context_management",
        "speed", "inference_geo", "whatever"}) {
    CHECK(said("\"" + std::string(name) + "\":1").unpriced_field == name);
    CHECK(said("\"" + std::string(name) + "\":null").unpriced_field.empty());
  }
  for (const char* name : {"api_base", "base_url", "api_key"})
    CHECK(said("\"" + std::string(name) + "\":\"x\"").unpriced_field.empty());
}

TEST_CASE("M6: what the gateway knows as a field is neutral, but for what providers charge for") {
  std::string found;
  for (const std::string_view name : config::request_fields()) {
    const std::string field(name);
    // Values that reading takes.
    const bool number = field == "n" || field.starts_with("max_");
    const std::string body = "{\"model\":\"m\",\"messages\":[{}],\"" + field + "\":" +
                             (number                                            ? "1"
                              : field == "user" || field == "safety_identifier" ? "\"u\""
                                                                                : "{}") +
                             "}";
    const auto view = wire::openai_chat().read(Endpoint::chat, body);
    REQUIRE_MESSAGE(view.has_value(), body);
    if (!facts_of(*view).unpriced_field.empty()) found += field + " ";
  }
  CHECK(found == "moderation context_management extra_body mcp_servers search_parameters ");
}

TEST_CASE("M9: tools, structured output and reasoning forbid a cut") {
  CHECK(said(R"("temperature":1)").may_be_cut);
  CHECK(said(R"("response_format":{"type":"text"})").may_be_cut);
  CHECK_FALSE(said(R"("response_format":{"type":"json_object"})").may_be_cut);
  CHECK_FALSE(said(R"("response_format":{"type":"json_schema","json_schema":{}})").may_be_cut);
  CHECK_FALSE(said(R"("tools":[{"type":"function","function":{"name":"f"}}])").may_be_cut);
  CHECK_FALSE(said(R"("reasoning_effort":"low")").may_be_cut);
}
