// Messages: roles, calls, reasoning, and what each must have.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;

namespace {

Message message(std::string_view json) {
  ChatRequest request = decode(chat_of(json));
  REQUIRE(request.messages.size() == 1);
  return std::move(request.messages.front());
}

std::string text_of(const Message& m, std::size_t part = 0) {
  REQUIRE(m.content.size() > part);
  return std::get<TextPart>(m.content[part].value).text;
}

}  // namespace

TEST_CASE("each role") {
  const ChatRequest r = decode(
      chat_of(R"({"role":"system","content":"a"},{"role":"developer","content":"b"},)"
              R"({"role":"user","content":"c","name":"Ann"},{"role":"assistant","content":"d"},)"
              R"({"role":"tool","content":"e","tool_call_id":"t1"})"));
  REQUIRE(r.messages.size() == 5);
  CHECK(r.messages[0].role == Role::system);
  CHECK(r.messages[1].role == Role::developer);
  CHECK(r.messages[2].role == Role::user);
  CHECK(r.messages[2].name == "Ann");
  CHECK(r.messages[3].role == Role::assistant);
  CHECK(r.messages[4].role == Role::tool);
  CHECK(r.messages[4].tool_call_id == "t1");
  CHECK(text_of(r.messages[4]) == "e");
}

TEST_CASE("a member's place does not matter") {
  const Message m = message(R"({"tool_call_id":"t","content":"x","is_error":true,"role":"tool"})");
  CHECK(m.role == Role::tool);
  CHECK(m.is_error);
  CHECK(m.content_is_string);
}

TEST_CASE("content that is empty") {
  CHECK(message(R"({"role":"user","content":""})").content.empty());
  CHECK(message(R"({"role":"user","content":[]})").content.empty());
  CHECK_FALSE(message(R"({"role":"user","content":[]})").content_is_string);
  CHECK(message(R"({"role":"assistant","content":null})").content.empty());
  CHECK(message(R"({"role":"assistant"})").content.empty());
  CHECK(message(R"({"role":"tool","tool_call_id":"t","content":null})").content.empty());
}

TEST_CASE("tool calls") {
  const Message m =
      message(R"({"role":"assistant","content":null,"tool_calls":[)"
              R"({"id":"c1","type":"function","function":{"name":"add","arguments":"{\"a\": 1}"}},)"
              R"({"id":"c2","type":"function","function":{"name":"now"},)"
              R"("extra_content":{"google":{"thought_signature":"sig"}}},)"
              R"({"id":"c3","type":"custom","custom":{"name":"sh","input":"ls"}},)"
              R"({"id":"c4","function":{"name":"obj","arguments":{"z":1e400, "a":2}}}]})");
  REQUIRE(m.tool_calls.size() == 4);
  CHECK(m.tool_calls[0].id == "c1");
  CHECK(m.tool_calls[0].name == "add");
  CHECK(m.tool_calls[0].arguments == R"({"a": 1})");
  CHECK(m.tool_calls[1].arguments.empty());
  CHECK(m.tool_calls[1].signature == "sig");
  CHECK(m.tool_calls[2].custom);
  CHECK(m.tool_calls[2].arguments == "ls");
  CHECK(m.tool_calls[3].arguments == R"({"z":1e400, "a":2})");
  CHECK(message(R"({"role":"assistant","content":"x","tool_calls":null})").tool_calls.empty());
  CHECK(message(R"({"role":"assistant","content":"x","tool_calls":[]})").tool_calls.empty());
}

TEST_CASE("reasoning under each of its names") {
  CHECK(message(R"({"role":"assistant","content":"x","reasoning_content":"r"})").reasoning == "r");
  CHECK(message(R"({"role":"assistant","content":"x","reasoning":"r"})").reasoning == "r");
  CHECK(message(R"({"role":"assistant","content":"x","reasoning_content":"r","reasoning":""})")
            .reasoning == "r");
}

TEST_CASE("thinking blocks come back as they were sent") {
  const Message m = message(R"({"role":"assistant","content":"x","thinking_blocks":[)"
                            R"({"index":0,"type":"thinking","thinking":"t","signature":"s"},)"
                            R"({"index":1,"type":"redacted_thinking","data":"d"}]})");
  REQUIRE(m.thinking.size() == 2);
  CHECK(m.thinking[0].text == "t");
  CHECK(m.thinking[0].signature == "s");
  CHECK(m.thinking[1].redacted == "d");
}

TEST_CASE("a refusal of the assistant's is content") {
  const Message m = message(R"({"role":"assistant","content":null,"refusal":"no"})");
  REQUIRE(m.content.size() == 1);
  CHECK(std::get<RefusalPart>(m.content[0].value).text == "no");
}

TEST_CASE("cache_control of a message goes to its last part") {
  const Message m =
      message(R"({"role":"system","cache_control":{"type":"ephemeral"},"content":"long"})");
  CHECK(m.content[0].cache_control_json == R"({"type":"ephemeral"})");
}

TEST_CASE("calls and answers of the first API are paired by id") {
  const ChatRequest r = decode(chat_of(
      R"({"role":"user","content":"q"},)"
      R"({"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},)"
      R"({"role":"function","name":"f","content":"1"},)"
      R"({"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},)"
      R"({"role":"function","name":"f","content":"2"})"));
  REQUIRE(r.messages.size() == 5);
  REQUIRE(r.messages[1].tool_calls.size() == 1);
  CHECK(r.messages[1].tool_calls[0].name == "f");
  CHECK(r.messages[2].role == Role::tool);
  CHECK(r.messages[2].tool_call_id == r.messages[1].tool_calls[0].id);
  CHECK(r.messages[4].tool_call_id == r.messages[3].tool_calls[0].id);
  CHECK(r.messages[2].tool_call_id != r.messages[4].tool_call_id);
}

TEST_CASE("escapes of every kind are read") {
  CHECK(text_of(message(R"({"role":"user","content":"\u00e9\ud83d\ude00\ud83d\n"})")) ==
        "\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD\n");
}

TEST_CASE("malformed messages name their place") {
  const std::string user = R"({"role":"user","content":"x"},)";
  const auto second = [&](std::string_view json, std::string_view param) {
    check_invalid(chat_of(user + std::string(json)), "messages[1]" + std::string(param));
  };
  second("5", "");
  second(R"({"content":"x"})", ".role");
  second(R"({"role":"robot","content":"x"})", ".role");
  second(R"({"role":3,"content":"x"})", ".role");
  second(R"({"role":"user"})", ".content");
  second(R"({"role":"system","content":null})", ".content");
  second(R"({"role":"user","content":7})", ".content");
  second(R"({"role":"tool","content":"x"})", ".tool_call_id");
  second(R"({"role":"function","content":"x"})", ".name");
  second(R"({"role":"assistant","tool_calls":{}})", ".tool_calls");
  second(R"({"role":"assistant","tool_calls":[{"id":"a","type":"function"}]})",
         ".tool_calls[0].function");
  second(R"({"role":"assistant","tool_calls":[{"type":"function","function":{}}]})",
         ".tool_calls[0].function.name");
  second(R"({"role":"assistant","tool_calls":[{"type":"x","function":{"name":"f"}}]})",
         ".tool_calls[0].type");
  second(R"({"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":[]}}]})",
         ".tool_calls[0].function.arguments");
  second(R"({"role":"assistant","tool_calls":[{"id":1,"function":{"name":"f"}}]})",
         ".tool_calls[0].id");
  second(R"({"role":"assistant","function_call":{}})", ".function_call.name");
  second(R"({"role":"assistant","thinking_blocks":[{"thinking":1}]})",
         ".thinking_blocks[0].thinking");
}

TEST_CASE("what stands in place of a message is named by its kind, whatever follows it") {
  CHECK(error_of(chat_of("5,{}")).message.contains("expected an object, but got an integer"));
  CHECK(error_of(chat_of("5.5")).message.contains("expected an object, but got a number"));
  check_invalid(chat_of(R"({"role":"user","content":"a"} , ["b"] )"), "messages[1]");
}
