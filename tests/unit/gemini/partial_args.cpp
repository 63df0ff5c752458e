#include <doctest/doctest.h>

#include "routing/providers/gemini_partial_args.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini;

namespace {
std::string built(std::initializer_list<std::string_view> pieces) {
  PartialArgs args;
  for (std::string_view piece : pieces)
    args.add(wire::JsonView(piece));
  return args.json();
}
}  // namespace

TEST_CASE("values by path") {
  CHECK(built({}) == "{}");
  CHECK(built({R"({"jsonPath":"$.a.b[0].c","numberValue":1.50})",
               R"({"jsonPath":"$.a.b[1]","boolValue":true})",
               R"({"jsonPath":"$['d e']","nullValue":"NULL_VALUE"})"}) ==
        R"({"a":{"b":[{"c":1.50},true]},"d e":null})");
}

TEST_CASE("a text in pieces is one text; a new one at the same place replaces it") {
  CHECK(built({R"({"jsonPath":"$.t","stringValue":"a","willContinue":true})",
               R"({"jsonPath":"$.t","stringValue":"\"b","willContinue":true})",
               R"({"jsonPath":"$.t","stringValue":""})"}) == R"({"t":"a\"b"})");
  CHECK(built({R"({"jsonPath":"$.t","stringValue":"a"})",
               R"({"jsonPath":"$.t","stringValue":"b"})"}) == R"({"t":"b"})");
}

TEST_CASE("paths that mean nothing change nothing") {
  for (std::string_view path : {"", "a", "$", "$x", "$.a[999999999]", "$.a[x]", "$.a[-1]"}) {
    CAPTURE(path);
    const std::string piece = R"({"jsonPath":")" + std::string(path) + R"(","numberValue":1})";
    const std::string json = built({piece});
    CHECK(json.find('1') == std::string::npos);
  }
  std::string deep = R"({"jsonPath":"$)";
  for (int i = 0; i < 100; ++i)
    deep += ".a";
  CHECK(built({deep + R"(","numberValue":1})"}).find('1') == std::string::npos);
}
