#include <doctest/doctest.h>

#include "routing/providers/gemini_schema.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini;

namespace {
std::string cleaned(std::string_view json) {
  const auto out = clean_schema(json, "p");
  REQUIRE(out);
  return *out;
}
}  // namespace

TEST_CASE("only Gemini's own words stay, types in its spelling") {
  CHECK(cleaned(R"({"$schema":"s","$id":"i","type":"object","additionalProperties":false,)"
                R"("properties":{"n":{"type":"integer","exclusiveMinimum":0,"minimum":1,)"
                R"("examples":[1]}},"patternProperties":{},"not":{}})") ==
        R"({"type":"OBJECT","properties":{"n":{"type":"INTEGER","minimum":1}}})");
}

TEST_CASE("null among types becomes nullable, several types a union") {
  CHECK(cleaned(R"({"type":["string","null"]})") == R"({"type":"STRING","nullable":true})");
  CHECK(cleaned(R"({"type":["string","integer"],"description":"d"})") ==
        R"({"anyOf":[{"type":"STRING","description":"d"},{"type":"INTEGER","description":"d"}]})");
}

TEST_CASE("unions stand alone; a null branch makes the others nullable") {
  CHECK(cleaned(R"({"oneOf":[{"type":"string"},{"type":"null"}],"title":"t"})") ==
        R"({"type":"STRING","title":"t","nullable":true})");
  CHECK(cleaned(R"({"anyOf":[{"type":"string"},{"type":"number"},{"type":"null"}]})") ==
        R"({"anyOf":[{"type":"STRING","nullable":true},{"type":"NUMBER","nullable":true}]})");
}

TEST_CASE("references are inlined, and one inside itself ends") {
  CHECK(cleaned(R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"array","items":)"
                R"({"$ref":"#/$defs/b~1c"}},"b/c":{"type":"boolean"}}})") ==
        R"({"type":"ARRAY","items":{"type":"BOOLEAN"}})");
  CHECK(cleaned(R"({"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":)"
                R"({"next":{"$ref":"#/$defs/t"},"other":{"$ref":"#/nowhere"}}}}})") ==
        R"({"type":"OBJECT","properties":{"next":{"type":"OBJECT"},"other":{"type":"OBJECT"}}})");
}

TEST_CASE("allOf is merged") {
  CHECK(cleaned(R"({"allOf":[{"type":"object","properties":{"a":{"type":"string"}},)"
                R"("required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]})") ==
        R"({"type":"OBJECT","required":["a","b"],)"
        R"("properties":{"a":{"type":"STRING"},"b":{"type":"STRING"}}})");
}

TEST_CASE("enums are strings; other values are told in words") {
  CHECK(cleaned(R"({"enum":["a","b",null]})") ==
        R"({"type":"STRING","nullable":true,"enum":["a","b"]})");
  CHECK(cleaned(R"({"const":"x"})") == R"({"type":"STRING","enum":["x"]})");
  CHECK(cleaned(R"({"type":"integer","enum":[1,2],"description":"How many."})") ==
        R"({"type":"INTEGER","description":"How many. Allowed values: 1, 2"})");
}

TEST_CASE("arrays have items, required names exist, counts are strings") {
  CHECK(cleaned(R"({"type":"array","minItems":2})") ==
        R"({"type":"ARRAY","minItems":"2","items":{"type":"STRING"}})");
  CHECK(cleaned(R"({"type":"array","prefixItems":[{"type":"string"},{"type":"number"}]})") ==
        R"({"type":"ARRAY","items":{"anyOf":[{"type":"STRING"},{"type":"NUMBER"}]}})");
  CHECK(cleaned(R"({"properties":{"a":{}},"required":["a","a","b",1]})") ==
        R"({"type":"OBJECT","required":["a"],"properties":{"a":{}}})");
}

TEST_CASE("a property may be called as a keyword is") {
  CHECK(cleaned(R"({"type":"object","properties":{"type":{"type":"string"},"$ref":{},)"
                R"("anyOf":{"type":"number"}}})") ==
        R"({"type":"OBJECT","properties":{"type":{"type":"STRING"},"$ref":{},)"
        R"("anyOf":{"type":"NUMBER"}}})");
}

TEST_CASE("only formats that Gemini knows") {
  CHECK(cleaned(R"({"type":"string","format":"uuid"})") == R"({"type":"STRING"})");
  CHECK(cleaned(R"({"type":"string","format":"date-time"})") ==
        R"({"type":"STRING","format":"date-time"})");
}

TEST_CASE("references that unfold without bound are a 400") {
  std::string bomb = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "{\"$ref\":\"#/$defs/d" + std::to_string(i + 1) + "\"}";
    bomb += "\"d" + std::to_string(i) + "\":{\"type\":\"object\",\"properties\":{\"a\":" + next +
            ",\"b\":" + next + "}},";
  }
  bomb += R"("d40":{"type":"string"}}})";
  const auto out = clean_schema(bomb, "tools[0]");
  REQUIRE(!out);
  CHECK(out.error().param == "tools[0]");
  CHECK(!clean_schema("[]", "p"));
  CHECK(!clean_schema("true", "p"));
}

TEST_CASE("a long row of definitions does not take the stack") {
  std::string row = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 5000; ++i) {
    row += "\"d" + std::to_string(i) + R"(":{"type":"array","items":{"$ref":"#/$defs/d)" +
           std::to_string(i + 1) + "\"}},";
  }
  row += R"("d5000":{"type":"string"}}})";
  CHECK(!clean_schema(row, "p"));
}

TEST_CASE("newer models get JSON Schema itself") {
  CHECK(*json_schema(R"({"$schema":"s","type":"object","$defs":{"a":{"const":1}}})", "p") ==
        R"({"type":"object","$defs":{"a":{"const":1}}})");
}

TEST_CASE("a schema without members describes nothing") {
  CHECK(describes_nothing(R"({"type":"object"})"));
  CHECK(describes_nothing(R"({"type":"object","properties":{},"required":[]})"));
  CHECK(!describes_nothing(R"({"properties":{"a":{}}})"));
  CHECK(!describes_nothing(R"({"$ref":"#/$defs/a"})"));
}
