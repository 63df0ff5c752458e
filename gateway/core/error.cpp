#include "gateway/core/error.hpp"

#include <array>

namespace tollgate {
namespace {

struct Row {
  ErrorKind kind;
  int status;
  std::string_view code;
  std::string_view type;
  Origin origin;
  Retry retry;
};

constexpr std::string_view invalid = "invalid_request_error";
constexpr std::string_view server = "server_error";

constexpr std::array rows{
    Row{ErrorKind::invalid_request, 400, invalid, invalid, Origin::client, Retry::never},
    Row{ErrorKind::context_length, 400, "context_length_exceeded", invalid, Origin::client,
        Retry::never},
    Row{ErrorKind::unsupported_parameter, 400, "unsupported_parameter", invalid, Origin::client,
        Retry::other_target},
    Row{ErrorKind::unsupported_endpoint, 400, "unsupported_endpoint", invalid, Origin::client,
        Retry::other_target},
    Row{ErrorKind::model_unpriced, 400, "model_unpriced", invalid, Origin::gateway,
        Retry::other_target},
    Row{ErrorKind::invalid_api_key, 401, "invalid_api_key", invalid, Origin::client, Retry::never},
    Row{ErrorKind::model_not_allowed, 403, "model_not_allowed", "permission_error", Origin::client,
        Retry::never},
    Row{ErrorKind::model_not_found, 404, "model_not_found", invalid, Origin::client, Retry::never},
    Row{ErrorKind::not_found, 404, "not_found", invalid, Origin::client, Retry::never},
    Row{ErrorKind::method_not_allowed, 405, "method_not_allowed", invalid, Origin::client,
        Retry::never},
    Row{ErrorKind::request_timeout, 408, "request_timeout", invalid, Origin::client, Retry::never},
    Row{ErrorKind::request_too_large, 413, "request_too_large", invalid, Origin::client,
        Retry::never},
    Row{ErrorKind::headers_too_large, 431, "headers_too_large", invalid, Origin::client,
        Retry::never},
    Row{ErrorKind::rate_limit_exceeded, 429, "rate_limit_exceeded", "rate_limit_error",
        Origin::gateway, Retry::never},
    Row{ErrorKind::budget_reserved, 429, "budget_reserved", "rate_limit_error", Origin::gateway,
        Retry::other_target},
    Row{ErrorKind::budget_exceeded, 429, "budget_exceeded", "insufficient_quota", Origin::gateway,
        Retry::other_target},
    // Before anything was sent: another model of the file may have a place.
    Row{ErrorKind::queue_full, 429, "queue_full", "rate_limit_error", Origin::gateway,
        Retry::other_target},
    Row{ErrorKind::upstream_rejected, 400, invalid, invalid, Origin::upstream, Retry::never},
    Row{ErrorKind::upstream_rate_limited, 429, "upstream_rate_limited", "rate_limit_error",
        Origin::upstream, Retry::same_or_other},
    Row{ErrorKind::upstream_quota, 429, "upstream_rate_limited", "insufficient_quota",
        Origin::upstream, Retry::other_target},
    Row{ErrorKind::internal, 500, "internal_error", server, Origin::gateway, Retry::never},
    Row{ErrorKind::upstream_error, 502, "upstream_error", server, Origin::upstream,
        Retry::same_or_other},
    Row{ErrorKind::upstream_auth, 502, "upstream_auth", server, Origin::upstream,
        Retry::other_target},
    Row{ErrorKind::upstream_overloaded, 503, "upstream_error", server, Origin::upstream,
        Retry::same_or_other},
    Row{ErrorKind::no_healthy_target, 503, "no_healthy_target", server, Origin::gateway,
        Retry::never},
    Row{ErrorKind::overloaded, 503, "overloaded", server, Origin::gateway, Retry::never},
    Row{ErrorKind::draining, 503, "draining", server, Origin::gateway, Retry::never},
    Row{ErrorKind::store_unavailable, 503, "store_unavailable", server, Origin::gateway,
        Retry::never},
    Row{ErrorKind::upstream_timeout, 504, "upstream_timeout", server, Origin::upstream,
        Retry::same_or_other},
    Row{ErrorKind::deadline_exceeded, 504, "deadline_exceeded", server, Origin::gateway,
        Retry::never},
    Row{ErrorKind::cache_miss, 504, "cache_miss", invalid, Origin::client, Retry::never},
    Row{ErrorKind::client_gone, 499, "client_gone", invalid, Origin::client, Retry::never},
    Row{ErrorKind::stream_cut, 502, "upstream_error", server, Origin::upstream,
        Retry::same_or_other},
    Row{ErrorKind::idempotency_unknown, 409, "idempotency_unknown", invalid, Origin::gateway,
        Retry::never},
    Row{ErrorKind::idempotency_key_reused, 422, "idempotency_key_reused", invalid, Origin::client,
        Retry::never},
};

const Row& row_of(ErrorKind kind) {
  for (const Row& row : rows) {
    if (row.kind == kind) return row;
  }
  return row_of(ErrorKind::internal);
}

}  // namespace

Error make_error(ErrorKind kind, std::string message, std::string param) {
  const Row& row = row_of(kind);
  Error error;
  error.kind = kind;
  error.origin = row.origin;
  error.retry = row.retry;
  error.status = row.status;
  error.code = row.code;
  error.type = row.type;
  error.param = std::move(param);
  error.message = std::move(message);
  // A 503 without a hint makes SDKs hammer; one second is their own first step.
  if (row.status == 503) error.retry_after = std::chrono::seconds(1);
  return error;
}

std::string_view contract_code(ErrorKind kind) { return row_of(kind).code; }

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::client:
      return "client";
    case Origin::gateway:
      return "gateway";
    case Origin::upstream:
      return "upstream";
  }
  return "gateway";
}

bool retry_cannot_help(const Error& error) {
  if (error.status == 409 || error.status == 504) return true;
  if (error.kind == ErrorKind::budget_exceeded) return true;
  if (error.kind == ErrorKind::upstream_quota && !error.retry_after) return true;
  // An upstream's 5xx reaches the client only when our own attempts are used up.
  return error.origin == Origin::upstream && error.status >= 500 && error.status != 503;
}

}  // namespace tollgate
