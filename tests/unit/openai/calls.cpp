#include <doctest/doctest.h>

#include "tests/unit/openai/support.hpp"

using namespace tollgate;
using namespace tollgate::routing::openai::test;

namespace {

/// The tool lines of a stream of these `tool_calls` lists.
std::string tools(const std::vector<std::string>& lists, std::string_view finish = "tool_calls",
                  bool relay = false) {
  std::vector<std::string> chunks;
  for (const std::string& list : lists)
    chunks.push_back(chunk("{\"tool_calls\":[" + list + "]}"));
  chunks.push_back(chunk("{}", "\"" + std::string(finish) + "\""));
  chunks.emplace_back("[DONE]");
  const std::string events = decode_stream(chunks, relay).events;
  const auto begin = events.find("tool "), end = events.find("finish");
  return begin == std::string::npos ? "" : events.substr(begin, end - begin);
}

}  // namespace

TEST_CASE("fragments by index; later ones with null id and name") {
  CHECK(tools({R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}})",
               R"({"index":0,"id":null,"function":{"name":null,"arguments":"{\"x\""}})",
               R"({"index":0,"function":{"arguments":":1}"}})"}) ==
        "tool 0 a f -\ntool 0 - - {\"x\"\ntool 0 - - :1}\n");
}

TEST_CASE("several calls in one delta, with and without index") {
  const std::string both = "tool 0 a f {}\ntool 1 b g {}\n";
  CHECK(tools({R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},)"
               R"({"index":1,"id":"b","function":{"name":"g","arguments":"{}"}})"}) == both);
  CHECK(tools({R"({"id":"a","function":{"name":"f","arguments":"{}"}},)"
               R"({"id":"b","function":{"name":"g","arguments":"{}"}})"}) == both);
  SUBCASE("all numbered 0") {
    CHECK(tools({R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})",
                 R"({"index":0,"id":"b","function":{"name":"g","arguments":"{}"}})"}) == both);
  }
  SUBCASE("numbered from 1") {
    CHECK(tools({R"({"index":1,"id":"a","function":{"name":"f","arguments":"{}"}})"}) ==
          "tool 0 a f {}\n");
  }
}

TEST_CASE("an id that is missing, null or used before is replaced by one that stays the same") {
  const std::string once = tools({R"({"index":0,"id":"null","function":{"name":"f"}})"});
  CHECK(once.starts_with("tool 0 call_"));
  CHECK(once == tools({R"({"index":0,"function":{"name":"f"}})"}));
  const std::string twice = tools({R"({"index":0,"id":"a","function":{"name":"f"}})",
                                   R"({"index":1,"id":"a","function":{"name":"g"}})"});
  CHECK(twice.starts_with("tool 0 a f -\ntool 0 - - {}\ntool 1 call_"));
}

TEST_CASE("arguments: null and none become an object, objects become text") {
  CHECK(tools({R"({"id":"a","function":{"name":"f","arguments":"null"}})"}) ==
        "tool 0 a f -\ntool 0 - - {}\n");
  CHECK(tools({R"({"id":"a","function":{"name":"f","arguments":null}})"}) ==
        "tool 0 a f -\ntool 0 - - {}\n");
  CHECK(tools({R"({"id":"a","function":{"name":"f","arguments":{"x":1}}})"}) ==
        "tool 0 a f {\"x\":1}\n");
  SUBCASE("null inside the text is text") {
    CHECK(tools({R"({"id":"a","function":{"name":"f","arguments":"{\"x\":"}})",
                 R"({"index":null,"function":{"arguments":"null"}})",
                 R"({"function":{"arguments":"}"}})"}) ==
          "tool 0 a f {\"x\":\ntool 0 - - null\ntool 0 - - }\n");
  }
  SUBCASE("a call that the limit cut stays as it is") {
    CHECK(tools({R"({"id":"a","function":{"name":"f","arguments":""}})"}, "length") ==
          "tool 0 a f -\n");
  }
  SUBCASE("a relay mends nothing") {
    CHECK(tools({R"({"id":"a","function":{"name":"f","arguments":"null"}})"}, "tool_calls", true) ==
          "tool 0 a f null\n");
  }
}

TEST_CASE("calls whose fragments come in turn are told one after another") {
  CHECK(tools({R"({"index":0,"id":"a","function":{"name":"f","arguments":""}},)"
               R"({"index":1,"id":"b","function":{"name":"g","arguments":""}})",
               R"({"index":1,"function":{"arguments":"{\"y\""}})",
               R"({"index":0,"function":{"arguments":"{}"}},)"
               R"({"index":1,"function":{"arguments":":2}"}})"}) ==
        "tool 0 a f -\ntool 0 - - {}\ntool 1 b g {\"y\"\ntool 1 - - :2}\n");
  SUBCASE("one without arguments is whole at the end") {
    CHECK(tools({R"({"index":0,"id":"a","function":{"name":"f"}},)"
                 R"({"index":1,"id":"b","function":{"name":"g","arguments":"{}"}})"}) ==
          "tool 0 a f -\ntool 0 - - {}\ntool 1 b g {}\n");
  }
  SUBCASE("only the last one can be cut") {
    CHECK(tools({R"({"index":0,"id":"a","function":{"name":"f"}},)"
                 R"({"index":1,"id":"b","function":{"name":"g"}})"},
                "length") == "tool 0 a f -\ntool 0 - - {}\ntool 1 b g -\n");
  }
}

TEST_CASE("arguments that come before the name wait for it") {
  CHECK(tools({R"({"index":0,"id":"a","function":{"arguments":"{"}})",
               R"({"index":0,"function":{"name":"f","arguments":"}"}})"}) == "tool 0 a f {}\n");
}

TEST_CASE("a custom tool's input is free text") {
  CHECK(tools({R"({"index":0,"id":"a","type":"custom","custom":{"name":"f","input":"run"}})"}) ==
        "tool 0 a f run\n");
}
