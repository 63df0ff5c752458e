#include <doctest/doctest.h>

#include "routing/providers/anthropic_request.hpp"

using namespace tollgate::routing::anthropic;

TEST_CASE("output schemas lose what the API refuses and close every object") {
  CHECK(
      output_schema(R"({"type":"object","properties":{"n":{"type":"integer","minimum":1},
      "s":{"type":"string","pattern":"^a","minLength":2,"maxLength":3,"description":"d"}},
      "required":["n"]})") ==
      R"({"type":"object","properties":{"n":{"type":"integer"},)"
      R"("s":{"type":"string","description":"d"}},"required":["n"],"additionalProperties":false})");
}

TEST_CASE("nested objects, arrays, definitions and unions are reached") {
  CHECK(output_schema(
            R"({"type":"array","minItems":1,"items":{"oneOf":[{"type":"object","properties":{}},)"
            R"({"$ref":"#/$defs/A"}]},"$defs":{"A":{"type":["object","null"],)"
            R"("maxProperties":3}}})") ==
        R"({"type":"array","items":{"anyOf":[{"type":"object","properties":{},)"
        R"("additionalProperties":false},{"$ref":"#/$defs/A"}]},)"
        R"("$defs":{"A":{"type":["object","null"],"additionalProperties":false}}})");
}

TEST_CASE("a property that is named like a keyword stays") {
  CHECK(output_schema(R"({"type":"object","properties":{"pattern":{"type":"string"},)"
                      R"("minimum":{"type":"number"}},"additionalProperties":true})") ==
        R"({"type":"object","properties":{"pattern":{"type":"string"},)"
        R"("minimum":{"type":"number"}},"additionalProperties":false})");
}

TEST_CASE("values that stand in a schema are data") {
  CHECK(
      output_schema(R"({"enum":[{"minimum":1},12345678901234567890],"default":{"pattern":"x"}})") ==
      R"({"enum":[{"minimum":1},12345678901234567890],"default":{"pattern":"x"}})");
}

TEST_CASE("tool input: the client's bytes where they will do") {
  constexpr std::string_view good = R"({ "type": "object", "properties": {"b":{},"a":{}} })";
  CHECK(input_schema(good) == good);
  CHECK(input_schema("") == R"({"type":"object","properties":{}})");
  CHECK(input_schema("null") == R"({"type":"object","properties":{}})");
  CHECK(input_schema(R"({"properties":{"a":{}}})") == R"({"properties":{"a":{}},"type":"object"})");
}

TEST_CASE("tool input: a union at the top becomes one object that allows each") {
  CHECK(input_schema(R"({"oneOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},)"
                     R"({"$ref":"#/$defs/B"}],"$defs":{"B":{"properties":{"b":{}}}}})") ==
        R"({"$defs":{"B":{"properties":{"b":{}}}},"properties":{"a":{"type":"string"},"b":{}},)"
        R"("type":"object"})");
  CHECK(input_schema(R"({"type":"object","required":["x"],)"
                     R"("allOf":[{"required":["a","x"]},{"required":["b"]}]})") ==
        R"({"type":"object","required":["x","a","b"]})");
}
