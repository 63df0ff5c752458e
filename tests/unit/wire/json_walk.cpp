#include "gateway/wire/json_walk.hpp"

#include <doctest/doctest.h>
#include <string>
#include <utility>
#include <vector>

#include "gateway/wire/json_view.hpp"

using namespace tollgate::wire;

namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

Members members_of(std::string_view object) {
  Members all;
  for (JsonMembers walk(object); walk.next();)
    all.emplace_back(walk.name(), walk.value());
  return all;
}

std::vector<std::string> elements_of(std::string_view array) {
  std::vector<std::string> all;
  for (JsonElements walk(array); walk.next();)
    all.emplace_back(walk.value());
  return all;
}

}  // namespace

TEST_CASE("members are cut at their own ends, whatever their values hold") {
  CHECK(members_of(R"({"a":1,"b":"x,}]","c":{"d":[1,{"e":"}"}]},"f":[],"g":true,"h":null})") ==
        Members{{"a", "1"},
                {"b", R"("x,}]")"},
                {"c", R"({"d":[1,{"e":"}"}]})"},
                {"f", "[]"},
                {"g", "true"},
                {"h", "null"}});
}

TEST_CASE("escapes do not end a string, and names are unescaped") {
  CHECK(members_of(R"({ "a\"b" : "c\\" , "\u0061" : "\"" })") ==
        Members{{"a\"b", R"("c\\")"}, {"a", R"("\"")"}});
}

TEST_CASE("elements are cut at their own ends") {
  CHECK(elements_of(R"( [ -1.5e3 , "]" , [ [ ] ] , { } ] )") ==
        std::vector<std::string>{"-1.5e3", R"("]")", "[ [ ] ]", "{ }"});
  CHECK(elements_of("[]").empty());
  CHECK(elements_of("{}").empty());
}

TEST_CASE("who walks over the elements finds their ends for the array") {
  for (const std::string_view array :
       {R"([{"a":"]"},{},{"b":[1]}])", R"( [ {"a":"]"} , { } , {"b":[1]} ] )"}) {
    std::vector<std::string> names;
    JsonElements walk(array);
    for (std::string_view text = walk.open(); !text.empty(); text = walk.open()) {
      JsonMembers members(text);
      names.emplace_back("-");
      while (members.next())
        names.emplace_back(members.name());
      walk.close(members.rest());
    }
    CHECK(names == std::vector<std::string>{"-", "a", "-", "-", "b"});
  }
  CHECK(JsonElements("[]").open().empty());
  CHECK(JsonElements(" [ ] ").open().empty());
  CHECK(JsonElements("{}").open().empty());
}

TEST_CASE("long values are skipped whole at every length") {
  for (std::size_t length = 0; length < 200; ++length) {
    const std::string text(length, 'x');
    const std::string nested = R"({"t":")" + text + R"(\\","u":[")" + text + R"("]})";
    const Members all = members_of(R"({"n":)" + nested + R"(,"z":7})");
    CHECK(all == Members{{"n", nested}, {"z", "7"}});
  }
}

TEST_CASE("text that is no JSON ends the walk early, at every cut") {
  const std::string whole = R"({"a":"b\"c","d":{"e":[1,"f\\"]},"g":-2})";
  const Members all = members_of(whole);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Members some = members_of(std::string(whole, 0, size));
    CHECK(some.size() <= all.size());
  }
  CHECK(members_of(R"({"a" 1})").empty());
  CHECK(members_of("{1:2}").empty());
  CHECK(elements_of("[1 2]") == std::vector<std::string>{"1"});
}

TEST_CASE("of two members with one name the last wins, and null is absent") {
  CHECK(json_member(R"({"a":1,"a":2})", "a") == "2");
  CHECK(!json_member(R"({"a":null})", "a"));
  CHECK(!json_member(R"({"b":1})", "a"));
}

TEST_CASE("an object's members are looked up without another walk") {
  std::string text = R"({"\u0061":"first","n":null,"a":"x","s":{"a":"inner"}})";
  const JsonObject object{JsonView(text)};
  CHECK(object["a"].string() == "x");
  CHECK(object["s"].text() == R"({"a":"inner"})");
  CHECK(!object["n"]);
  CHECK(!object["absent"]);
  std::string many = "{";
  for (int i = 0; i < 40; ++i)
    many += (i > 0 ? ",\"m" : "\"m") + std::to_string(i) + "\":" + std::to_string(i);
  const JsonObject large{JsonView(many += "}")};
  for (int i = 0; i < 40; ++i)
    CHECK(large["m" + std::to_string(i)].integer() == i);
  CHECK(!JsonObject(JsonView("[1]"))["a"]);
}
