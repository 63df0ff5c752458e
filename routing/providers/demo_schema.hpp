// A value that a JSON schema accepts, made without chance: how the demo model fills in tool
// arguments and structured output. Understands what such schemas use: nested objects, arrays and
// tuples, enum, const, allOf / anyOf / oneOf, $ref into the document (recursive ones end), bounds,
// formats, simple patterns. Pure.
#pragma once
#include <string>
#include <string_view>

namespace tollgate::routing::demo {

/// Compact JSON. An empty or unreadable schema, or one without a type, gives an object.
[[nodiscard]] std::string make_instance(std::string_view schema_json);

/// A string that a regular expression matches, or empty where it uses what is not understood
/// (lookaround, back references).
[[nodiscard]] std::string match_pattern(std::string_view pattern);

}  // namespace tollgate::routing::demo
