// Error: the one description of what went wrong, from anywhere to the client, the log and the
// metrics. Made where the fault is seen (codec, socket, policy), rendered in exactly one place per
// dialect. Any thread; a plain value.
#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/result.hpp"

namespace tollgate {

/// What went wrong. Decides status, `code` and `type` unless the provider's own are kept.
enum class ErrorKind : std::uint8_t {
  invalid_request,        // 400 invalid_request_error
  context_length,         // 400 context_length_exceeded
  unsupported_parameter,  // 400
  unsupported_endpoint,   // 400
  model_unpriced,         // 400: a caller under a budget asked for what has no price
  invalid_api_key,        // 401: the client's key
  model_not_allowed,      // 403
  model_not_found,        // 404
  not_found,              // 404: no such route
  method_not_allowed,     // 405
  request_timeout,        // 408: the client was too slow
  request_too_large,      // 413
  headers_too_large,      // 431
  rate_limit_exceeded,    // 429: requests, tokens or concurrent calls
  budget_reserved,        // 429: the money is held by running calls
  budget_exceeded,        // 429: the money is gone until the window ends
  queue_full,             // 429: no place at a provider, or none within the time to wait for one
  upstream_rejected,      // a provider's own 4xx about this request: status, message and code kept
  upstream_rate_limited,  // 429
  upstream_quota,         // 429: the provider's purse (402, insufficient_quota)
  internal,               // 500
  upstream_error,         // 502, or the provider's own 5xx
  upstream_auth,          // 502: the provider refused our key
  upstream_overloaded,    // 503: the provider's 503, 498, 529
  no_healthy_target,      // 503
  overloaded,             // 503: our own connections or in_flight
  draining,               // 503
  store_unavailable,      // 503: limits or books cannot be kept right now
  upstream_timeout,       // 504
  deadline_exceeded,      // 504: the model's timeout or x-tollgate-timeout
  cache_miss,             // 504: only-if-cached, and there is nothing
  client_gone,            // nobody left to answer; logged as 499
  stream_cut,             // a reply that died after its 200 (502 as long as nothing was sent)

  idempotency_unknown,     // 409: nobody knows any more what became of a call with that key
  idempotency_key_reused,  // 422: the same key with another body
};

/// Whose fault it was; a label of every error metric.
enum class Origin : std::uint8_t { client, gateway, upstream };

/// What the attempt loop may do about it (wire facts: retry matrix).
enum class Retry : std::uint8_t { never, other_target, same_or_other };

struct Error {
  ErrorKind kind = ErrorKind::internal;
  Origin origin = Origin::gateway;
  Retry retry = Retry::never;
  int status = 500;     ///< what the client gets
  std::string code;     ///< `error.code`, and the `error` field of log and ledger
  std::string type;     ///< `error.type` in OpenAI's shape
  std::string param;    ///< request field at fault; empty: null
  std::string message;  ///< safe for the client; secrets already masked
  std::string detail;   ///< for the log only; never sent
  std::string members;  ///< further JSON members of the error object (`"scope":"key:a"`), or empty
  int upstream_status = 0;                               ///< what the provider answered; 0: nothing
  std::optional<std::chrono::milliseconds> retry_after;  ///< when a retry may help
  std::optional<std::chrono::milliseconds> asked_wait;   ///< what the provider itself asked for
};

/// Used as std::expected<T, Error> is.
template <class T>
using Result = LeanResult<T, Error>;

/// Error of `kind` with the contract's status, code, type and origin filled in.
[[nodiscard]] Error make_error(ErrorKind kind, std::string message, std::string param = {});

/// std::unexpected of make_error, for `return fail(...)`.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message,
                                                 std::string param = {}) {
  return std::unexpected(make_error(kind, std::move(message), std::move(param)));
}

[[nodiscard]] std::string_view to_string(Origin origin);

/// The contract's code for `kind`: a closed set, so it may be a metric's label (a provider's own
/// code may not).
[[nodiscard]] std::string_view contract_code(ErrorKind kind);

/// True where an SDK's automatic retry cannot help: the reply then carries `x-should-retry: false`.
[[nodiscard]] bool retry_cannot_help(const Error& error);

}  // namespace tollgate
