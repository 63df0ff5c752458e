#include <doctest/doctest.h>

#include "routing/providers/gemini_request.hpp"
#include "tests/unit/gemini/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini;
using namespace tollgate::routing::gemini::test;

namespace {
std::string tool(std::string_view name, std::string_view more = "") {
  return R"({"type":"function","function":{"name":")" + std::string(name) + "\"" +
         std::string(more) + "}}";
}
std::string tools(std::string_view list, std::string_view more = "") {
  return R"("tools":[)" + std::string(list) + "]" + std::string(more);
}
constexpr std::string_view schema =
    R"(,"parameters":{"type":"object","properties":{"a":{"type":["string","null"]}}})";
}  // namespace

TEST_CASE("one list of declarations, schemas by model") {
  CHECK(encode_with(tools(tool("f", schema)))
            .body.contains(R"("tools":[{"functionDeclarations":[{"name":"f",)"
                           R"("parametersJsonSchema":{"type":"object",)"
                           R"("properties":{"a":{"type":["string","null"]}}}}]}])"));
  CHECK(encode_with(tools(tool("f", schema)), {.model = "gemini-2.0-flash"})
            .body.contains(R"({"name":"f","parameters":{"type":"OBJECT","properties":)"
                           R"({"a":{"type":"STRING","nullable":true}}}})"));
  CHECK(encode_with(tools(tool("f", R"(,"parameters":{"type":"object","properties":{}})")))
            .body.contains(R"([{"name":"f"}])"));
}

TEST_CASE("tool choice") {
  const auto config = [](std::string_view choice, std::string_view list = "") {
    const std::string both = tool("f") + "," + tool("g");
    return encode_with(tools(list.empty() ? std::string_view(both) : list, choice)).body;
  };
  CHECK(!config("").contains("toolConfig"));
  CHECK(config(R"(,"tool_choice":"auto")").contains(R"({"mode":"AUTO"})"));
  CHECK(config(R"(,"tool_choice":"none")").contains(R"({"mode":"NONE"})"));
  CHECK(config(R"(,"tool_choice":"required")").contains(R"({"mode":"ANY"})"));
  CHECK(config(R"(,"tool_choice":{"type":"function","function":{"name":"g"}})")
            .contains(R"({"mode":"ANY","allowedFunctionNames":["g"]})"));
  CHECK(config(R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto",)"
               R"("tools":[{"type":"function","function":{"name":"f"}}]}})")
            .contains(R"({"mode":"VALIDATED","allowedFunctionNames":["f"]})"));
  CHECK(config("", tool("f", R"(,"strict":true)")).contains(R"({"mode":"VALIDATED"})"));
}

TEST_CASE("names are made to fit, stay apart, and can be turned back") {
  ToolNames names;
  CHECK(names.sent("ok_name.1") == "ok_name.1");
  CHECK(names.sent("1st tool") == "_1st_tool");
  CHECK(names.sent("1st/tool") == "_1st_tool_2");
  CHECK(names.sent("1st tool") == "_1st_tool");
  CHECK(names.sent(std::string(200, 'x')).size() == 128);
  CHECK(names.changed().size() == 3);
  CHECK(encode_with(tools(tool("9"))).hints.renamed_tools ==
        std::vector<std::pair<std::string, std::string>>{{"_9", "9"}});
}

TEST_CASE("what Gemini has no tools for") {
  CHECK(encode_with(tools(R"({"type":"custom","custom":{"name":"c"}})")).error_param ==
        "tools[0].type");
  CHECK(encode_with(tools(tool("f"), R"(,"parallel_tool_calls":false)")).dropped ==
        "parallel_tool_calls");
  CHECK(encode_with(tools(tool("f"), R"(,"parallel_tool_calls":true)")).dropped == "");
}
