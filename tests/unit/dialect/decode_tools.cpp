// Tools and the choice among them.
#include "support.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace tollgate::wire::test;
using Mode = ToolChoice::Mode;

namespace {

ToolChoice choice(std::string_view json) {
  return decode(chat_with("\"tool_choice\":" + std::string(json))).tool_choice;
}

}  // namespace

TEST_CASE("function tools") {
  const ChatRequest r =
      decode(chat_with(R"("tools":[{"type":"function","cache_control":{"type":"ephemeral"},)"
                       R"("function":{"name":"add",)"
                       R"("description":"Adds.","parameters":{"z":1, "a":{}},"strict":true}},)"
                       R"({"function":{"name":"now","parameters":null}}])"));
  REQUIRE(r.tools.size() == 2);
  CHECK(r.tools[0].function);
  CHECK(r.tools[0].name == "add");
  CHECK(r.tools[0].description == "Adds.");
  CHECK(r.tools[0].parameters_json == R"({"z":1, "a":{}})");
  CHECK(r.tools[0].strict == true);
  CHECK(r.tools[0].cache_control_json == R"({"type":"ephemeral"})");
  CHECK(r.tools[1].name == "now");
  CHECK(r.tools[1].parameters_json.empty());
  CHECK_FALSE(r.tools[1].strict);
}

TEST_CASE("other tools keep their text") {
  const ChatRequest r =
      decode(chat_with(R"("tools":[{"type":"custom","custom":{"name":"sh","description":"Runs."}},)"
                       R"({"type":"web_search","x":1}])"));
  REQUIRE(r.tools.size() == 2);
  CHECK_FALSE(r.tools[0].function);
  CHECK(r.tools[0].name == "sh");
  CHECK(r.tools[0].description == "Runs.");
  CHECK_FALSE(r.tools[1].function);
  CHECK(r.tools[1].raw_json == R"({"type":"web_search","x":1})");
}

TEST_CASE("every tool choice") {
  CHECK(choice(R"("none")").mode == Mode::none);
  CHECK(choice(R"("auto")").mode == Mode::automatic);
  CHECK(choice(R"("required")").mode == Mode::required);
  for (const std::string_view named :
       {R"({"type":"function","function":{"name":"f"}})",
        R"({"type":"custom","custom":{"name":"f"}})", R"({"type":"function","name":"f"})"}) {
    CHECK(choice(named).mode == Mode::named);
    CHECK(choice(named).name == "f");
  }
  const ToolChoice allowed = choice(
      R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[)"
      R"({"type":"function","function":{"name":"a"}},{"type":"custom","custom":{"name":"b"}}]}})");
  CHECK(allowed.mode == Mode::required);
  CHECK(allowed.allowed == std::vector<std::string>{"a", "b"});
}

TEST_CASE("functions of the first API become tools") {
  const ChatRequest r =
      decode(chat_with(R"("functions":[{"name":"f","description":"d","parameters":{}}],)"
                       R"("function_call":{"name":"f"})"));
  REQUIRE(r.tools.size() == 1);
  CHECK(r.tools[0].name == "f");
  CHECK(r.tools[0].description == "d");
  CHECK(r.tools[0].parameters_json == "{}");
  CHECK(r.tool_choice.mode == Mode::named);
  CHECK(r.tool_choice.name == "f");
  CHECK(
      decode(chat_with(R"("functions":[{"name":"f"}],"function_call":"none")")).tool_choice.mode ==
      Mode::none);
}

TEST_CASE("today's spelling wins where both are sent, in either order") {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"new"}}])";
  const std::string functions = R"("functions":[{"name":"old"}])";
  for (const std::string& both : {tools + "," + functions, functions + "," + tools}) {
    const ChatRequest r = decode(chat_with(both));
    REQUIRE(r.tools.size() == 1);
    CHECK(r.tools[0].name == "new");
  }
  CHECK(decode(chat_with(R"("function_call":"none","tool_choice":"auto")")).tool_choice.mode ==
        Mode::automatic);
  CHECK(decode(chat_with(R"("tool_choice":"auto","function_call":"none")")).tool_choice.mode ==
        Mode::automatic);
}

TEST_CASE("malformed tools name their place") {
  check_invalid(chat_with(R"("tools":{})"), "tools");
  check_invalid(chat_with(R"("tools":[5])"), "tools[0]");
  check_invalid(chat_with(R"("tools":[{}])"), "tools[0].type");
  check_invalid(chat_with(R"("tools":[{"type":"function"}])"), "tools[0].function");
  check_invalid(chat_with(R"("tools":[{"type":"function","function":{}}])"),
                "tools[0].function.name");
  check_invalid(
      chat_with(R"("tools":[{"type":"function","function":{"name":"f","parameters":[]}}])"),
      "tools[0].function.parameters");
  check_invalid(chat_with(R"("tools":[{"type":"custom"}])"), "tools[0].custom");
  check_invalid(chat_with(R"("functions":[{"name":5}])"), "functions[0].name");
  check_invalid(chat_with(R"("tool_choice":"some")"), "tool_choice");
  check_invalid(chat_with(R"("tool_choice":5)"), "tool_choice");
  check_invalid(chat_with(R"("tool_choice":{"type":"x"})"), "tool_choice.type");
  check_invalid(chat_with(R"("tool_choice":{"type":"function"})"), "tool_choice.function");
  check_invalid(chat_with(R"("tool_choice":{"type":"allowed_tools","allowed_tools":{}})"),
                "tool_choice.allowed_tools.tools");
  check_invalid(chat_with(R"("function_call":{})"), "function_call.name");
}
