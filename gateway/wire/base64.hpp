// Base64 (standard alphabet, padded) for embeddings, data URLs and proxy passwords. Called by
// dialects, providers and net. Pure functions, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::wire {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// Accepts missing padding and the URL-safe alphabet; nothing else.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace tollgate::wire
