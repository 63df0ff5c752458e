// The error objects of OpenAI-shaped providers, in all the shapes that they were seen in, read into
// what the error table judges. Pure.
#pragma once
#include <optional>
#include <string_view>

#include "routing/providers/error_table.hpp"

namespace tollgate::routing::openai {

/// What an error reply (4xx, 5xx) says. A body that is no JSON becomes its own message.
[[nodiscard]] ReportedError read_error_body(int status, std::string_view body);
/// The error inside a reply or chunk that came with 200, or nothing when there is none.
[[nodiscard]] std::optional<ReportedError> read_error_inside(std::string_view object);

}  // namespace tollgate::routing::openai
