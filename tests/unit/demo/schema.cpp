#include <doctest/doctest.h>

#include "routing/providers/demo_schema.hpp"

using tollgate::routing::demo::make_instance;
using tollgate::routing::demo::match_pattern;

TEST_CASE("scalars stay within their bounds") {
  CHECK(make_instance(R"({"type":"integer"})") == "1");
  CHECK(make_instance(R"({"type":"integer","minimum":5})") == "5");
  CHECK(make_instance(R"({"type":"integer","exclusiveMinimum":5})") == "6");
  CHECK(make_instance(R"({"type":"integer","maximum":-3})") == "-3");
  CHECK(make_instance(R"({"type":"integer","exclusiveMaximum":0})") == "-1");
  CHECK(make_instance(R"({"type":"integer","minimum":10,"multipleOf":7})") == "14");
  CHECK(make_instance(R"({"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1})") == "0.5");
  CHECK(make_instance(R"({"type":"number","minimum":0,"exclusiveMinimum":true,"maximum":2})") ==
        "1");
  CHECK(make_instance(R"({"type":"boolean"})") == "true");
  CHECK(make_instance(R"({"type":"null"})") == "null");
  CHECK(make_instance(R"({"type":["null","boolean"]})") == "true");
}

TEST_CASE("strings: lengths, formats, patterns") {
  CHECK(make_instance(R"({"type":"string","minLength":6})") == R"("demo..")");
  CHECK(make_instance(R"({"type":"string","maxLength":2})") == R"("de")");
  CHECK(make_instance(R"({"type":"string","format":"date"})") == R"("2024-05-17")");
  CHECK(make_instance(R"({"type":"string","pattern":"^[A-Z]{2}-\\d{3}$"})") == R"("AA-111")");
}

TEST_CASE("const, enum and combinations") {
  CHECK(make_instance(R"({"const":{"a":[1]}})") == R"({"a":[1]})");
  CHECK(make_instance(R"({"enum":["x","y"]})") == R"("x")");
  CHECK(make_instance(R"({"anyOf":[{"type":"null"},{"type":"integer"}]})") == "1");
  CHECK(make_instance(R"({"oneOf":[{"const":"a"},{"const":"b"}]})") == R"("a")");
  CHECK(make_instance(R"({"allOf":[{"properties":{"a":{"type":"integer"}}},)"
                      R"({"properties":{"b":{"const":2}},"required":["b"]}]})") ==
        R"({"a":1,"b":2})");
}

TEST_CASE("objects and arrays, nested") {
  CHECK(make_instance(R"({"type":"object","properties":{"a":{"type":"array","minItems":2,)"
                      R"("items":{"type":"object","properties":{"n":{"type":"integer"}}}}}})") ==
        R"({"a":[{"n":1},{"n":1}]})");
  CHECK(make_instance(R"({"type":"array","items":{"type":"integer"},"minItems":3})") == "[1,2,3]");
  CHECK(make_instance(R"({"type":"array","maxItems":0})") == "[]");
  CHECK(make_instance(R"({"prefixItems":[{"const":1},{"const":2}],"items":false})") == "[1,2]");
  CHECK(make_instance(R"({"type":"object","required":["x"],)"
                      R"("additionalProperties":{"type":"integer"}})") == R"({"x":1})");
}

TEST_CASE("references, recursive ones too") {
  CHECK(make_instance(R"({"$ref":"#/$defs/a~1b","$defs":{"a/b":{"const":3}}})") == "3");
  const std::string tree =
      make_instance(R"({"$defs":{"node":{"type":"object","properties":{"value":{"type":"integer"},)"
                    R"("next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},)"
                    R"("required":["value","next"]}},"$ref":"#/$defs/node"})");
  CHECK(tree.starts_with(R"({"value":1,"next":{"value":1,)"));
  CHECK(tree.find("\"next\":null") != std::string::npos);
  CHECK(make_instance(R"({"$ref":"#"})").size() < 1000);
  CHECK(make_instance(R"({"$ref":"#/nowhere"})") == R"("demo")");
}

TEST_CASE("what is no schema gives an object") {
  CHECK(make_instance("") == "{}");
  CHECK(make_instance("{}") == "{}");
  CHECK(make_instance("true") == "{}");
  CHECK(make_instance("{broken") == "{}");
}

TEST_CASE("a schema that would grow without end is bounded") {
  const std::string wide = make_instance(
      R"({"$defs":{"a":{"type":"array","minItems":100,"items":{"$ref":"#/$defs/a"}}},)"
      R"("$ref":"#/$defs/a"})");
  CHECK(wide.size() < 1000000);
}

TEST_CASE("patterns") {
  CHECK(match_pattern("^(foo|bar)+$") == "foo");
  CHECK(match_pattern("^\\+?[0-9]{3,}$") == "+000");
  CHECK(match_pattern("^(?:a|b)(?<name>c)\\.[^a-z]$") == "ac.0");
  CHECK(match_pattern("(?=look)x").empty());
  CHECK(match_pattern("(unclosed").empty());
  CHECK(match_pattern("[z").empty());
  CHECK(match_pattern("a{99999999}").empty());
}
