// Reading the request headers that are ours: keys, tags, timeouts, percent-encoding. Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/error.hpp"
#include "gateway/core/http.hpp"

namespace tollgate::app {

/// The key: `Authorization: Bearer`, else `x-api-key` where no Authorization is sent. Empty: none.
[[nodiscard]] std::string_view presented_key(const RequestHead& head);
/// `x-tollgate-timeout`: `30` (seconds), `30s`, `1.5`, `500ms`. Error: 400.
Result<std::optional<std::chrono::milliseconds>> asked_timeout(const RequestHead& head);
/// `x-tollgate-tags: feature=triage,session=42`, of all such headers; at most 32 of at most 256
/// bytes, others ignored.
[[nodiscard]] HeaderList asked_tags(const RequestHead& head);
/// The trace that a W3C `traceparent` names, 32 hex digits; empty: none, or no valid one.
[[nodiscard]] std::string_view asked_trace(const RequestHead& head);
/// Percent-decoding of a path segment; broken escapes stay as they are.
[[nodiscard]] std::string percent_decoded(std::string_view text);
/// A client's own text (request id), cut to `longest` and to printable ASCII.
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest);

}  // namespace tollgate::app
