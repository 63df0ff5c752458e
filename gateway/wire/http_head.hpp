// HTTP/1.1 heads, read and judged without a socket: request heads strictly (every smuggling form is
// refused), response heads as leniently as providers need. Pure; the caller owns the buffer.
#pragma once
#include <cstddef>
#include <string_view>

#include "gateway/core/error.hpp"
#include "gateway/core/http.hpp"

namespace tollgate::wire {

/// Bytes of the head at the front of `buffer`, its blank line included; 0 while it is incomplete.
/// `seen`: how many bytes an earlier call has already scanned.
[[nodiscard]] std::size_t head_length(std::string_view buffer, std::size_t seen = 0);

/// Parses one whole request head (as measured by head_length) into `out`, whose views point into
/// `head` and whose header vector is reused. Errors: 400 invalid_request for bad syntax and for:
/// no or two Host, obs-fold, space before the colon, bare CR or LF or NUL, Transfer-Encoding that
/// is not exactly `chunked` or comes with Content-Length or on HTTP/1.0, differing or malformed
/// Content-Length, another major version. Absolute-form targets are accepted and cut to their path.
Result<void> parse_request_head(std::string_view head, RequestHead& out);

/// Parses one whole response head. `to_head_request`/1xx/204/304 have no body. Errors:
/// upstream_error for syntax, and for both Transfer-Encoding and differing Content-Lengths.
Result<ResponseHead> parse_response_head(std::string_view head);

}  // namespace tollgate::wire
