// JSON Schema as Gemini takes it: the older models know only a subset of OpenAPI's, the newer ones
// take JSON Schema itself. Called by the encode for tool parameters and response schemas; pure.
#pragma once
#include <string>
#include <string_view>

#include "gateway/core/error.hpp"

namespace tollgate::routing::gemini {

/// The schema in Gemini's own subset (`parameters`, `responseSchema`): references inlined, unions
/// and nulls rewritten, what it does not know left out. Error: 400 at `param` when the text is no
/// JSON object or its references unfold without bound.
[[nodiscard]] Result<std::string> clean_schema(std::string_view json, std::string_view param);

/// The schema for `parametersJsonSchema` and `responseJsonSchema`: the client's own text without
/// `$schema`, which Gemini refuses. Same errors.
[[nodiscard]] Result<std::string> json_schema(std::string_view json, std::string_view param);

/// True for an object schema that names no member: Gemini wants no `parameters` at all then.
[[nodiscard]] bool describes_nothing(std::string_view json);

}  // namespace tollgate::routing::gemini
