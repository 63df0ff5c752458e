#include "routing/providers/json_tree.hpp"

#include <doctest/doctest.h>

using namespace tollgate::routing;

namespace {
std::string again(std::string_view json) {
  const auto tree = read_json(json);
  if (!tree) return "none";
  std::string out;
  write_json(*tree, out);
  return out;
}
}  // namespace

TEST_CASE("what is read comes out as it was: order, numbers, escapes") {
  CHECK(again(R"( {"b": 1e400, "a": [true, null, "\u00e9\n"], "c": {}} )") ==
        "{\"b\":1e400,\"a\":[true,null,\"\xC3\xA9\\n\"],\"c\":{}}");
  CHECK(again("12345678901234567890123") == "12345678901234567890123");
}

TEST_CASE("what is no JSON is nothing") {
  for (std::string_view bad : {"", "{", "[1,]", "{\"a\":01}", "nul", "1 2"}) {
    CAPTURE(bad);
    CHECK(again(bad) == "none");
  }
  CHECK(again(std::string(65, '[') + std::string(65, ']')) == "none");
}

TEST_CASE("white space goes from between tokens and stays in strings") {
  CHECK(compact_json("{ \"a b\" :\n[ 1, \"x \\\" y\" ] }") == "{\"a b\":[1,\"x \\\" y\"]}");
  CHECK(compact_json(R"(["\\", "a"])") == R"(["\\","a"])");
}
