// The header lines of our replies, in one place.
#pragma once
#include "gateway/app/run.hpp"
#include "gateway/core/http.hpp"

namespace tollgate::app {

/// Head of any reply: request id and CORS.
[[nodiscard]] ReplyHead base_head(const Run& run, int status);
/// Head of an error reply: status, JSON, Retry-After, x-should-retry.
[[nodiscard]] ReplyHead error_head(const Run& run, const Error& error);
/// Adds where the call went: provider, model, attempts.
void add_route_fields(ReplyHead& head, const Run& run);
/// Adds our own time so far: all since the head was read, less what was waited for.
void add_overhead(ReplyHead& head, const Run& run);

}  // namespace tollgate::app
