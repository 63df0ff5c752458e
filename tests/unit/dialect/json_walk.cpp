#include "gateway/wire/json_walk.hpp"

#include <doctest/doctest.h>

using namespace tollgate::wire;

TEST_CASE("members come in order, names unescaped, values as their text") {
  JsonMembers members(R"( { "b" : [1, {"x":"]}"}] , "\u0061" : 1e400,"":null} )");
  REQUIRE(members.next());
  CHECK(members.name() == "b");
  CHECK(members.value() == R"([1, {"x":"]}"}])");
  REQUIRE(members.next());
  CHECK(members.name() == "a");
  CHECK(members.value() == "1e400");
  REQUIRE(members.next());
  CHECK(members.name().empty());
  CHECK(members.value() == "null");
  CHECK_FALSE(members.next());
}

TEST_CASE("elements come in order; empty containers have none") {
  JsonElements elements(R"([ "a\"]", [ ], 12345678901234567890 ])");
  REQUIRE(elements.next());
  CHECK(elements.value() == R"("a\"]")");
  REQUIRE(elements.next());
  CHECK(elements.value() == "[ ]");
  REQUIRE(elements.next());
  CHECK(elements.value() == "12345678901234567890");
  CHECK_FALSE(elements.next());
  CHECK_FALSE(JsonElements("[]").next());
  CHECK_FALSE(JsonMembers("{ }").next());
}

TEST_CASE("text that is no JSON ends the walk") {
  for (const std::string_view text : {"", "{", "{\"a\"", "{\"a\":", "{a:1}", "[", "[,]", "7"}) {
    CHECK_FALSE(JsonMembers(text).next());
    CHECK_FALSE(JsonElements(text).next());
  }
}

TEST_CASE("a member is found by name; the last twin wins and null is absent") {
  CHECK(json_member(R"({"a":1,"a":2})", "a") == "2");
  CHECK_FALSE(json_member(R"({"a":1,"a":null})", "a"));
  CHECK_FALSE(json_member(R"({"a":1})", "b"));
  CHECK_FALSE(json_member("[1]", "a"));
}
