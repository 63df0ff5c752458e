#include <doctest/doctest.h>

#include "routing/providers/anthropic_ids.hpp"

using namespace tollgate::routing::anthropic;

TEST_CASE("a good id stays as it is") {
  CHECK(clean_tool_id("toolu_01LvrC6yRDPryaKvbD6WTKky") == "toolu_01LvrC6yRDPryaKvbD6WTKky");
  CHECK(clean_tool_id("call-9_Z") == "call-9_Z");
}

TEST_CASE("a foreign id is mapped the same way every time, and two never to one") {
  const std::string first = clean_tool_id("functions.add:0");
  CHECK(first == clean_tool_id("functions.add:0"));
  CHECK(first.starts_with("functions_add_0_"));
  CHECK(first != clean_tool_id("functions:add.0"));
  CHECK(first.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);
}

TEST_CASE("a long id is cut to 64 bytes and stays its own") {
  const std::string long_a(100, 'a'), long_b = std::string(99, 'a') + "b";
  CHECK(clean_tool_id(long_a).size() == 64);
  CHECK(clean_tool_id(long_a) != clean_tool_id(long_b));
}

TEST_CASE("results follow their calls") {
  ToolIds ids;
  ids.begin_calls();
  CHECK(ids.call("a") == "a");
  CHECK(ids.call("functions.b:1") == clean_tool_id("functions.b:1"));
  CHECK(ids.result("functions.b:1") == clean_tool_id("functions.b:1"));
  CHECK(ids.result("a") == "a");
}

TEST_CASE("an id that each turn uses again becomes one of its own") {
  ToolIds ids;
  ids.begin_calls();
  CHECK(ids.call("call_0") == "call_0");
  CHECK(ids.result("call_0") == "call_0");
  ids.begin_calls();
  CHECK(ids.call("call_0") == "call_0_2");
  CHECK(ids.result("call_0") == "call_0_2");
}

TEST_CASE("calls without an id are paired by their order") {
  ToolIds ids;
  ids.begin_calls();
  const std::string first = ids.call(""), second = ids.call("null");
  CHECK(first != second);
  CHECK(ids.result("") == first);
  CHECK(ids.result("null") == second);
}

TEST_CASE("two equal ids in one turn are paired by their order") {
  ToolIds ids;
  ids.begin_calls();
  CHECK(ids.call("x") == "x");
  CHECK(ids.call("x") == "x_2");
  CHECK(ids.result("x") == "x");
  CHECK(ids.result("x") == "x_2");
}

TEST_CASE("a result without a call goes on as it is") {
  ToolIds ids;
  CHECK(ids.result("call_7") == "call_7");
}
