#include <array>
#include <doctest/doctest.h>

#include "gateway/core/error.hpp"

namespace tollgate {

TEST_CASE("every kind has the contract's status, code and origin") {
  struct Row {
    ErrorKind kind;
    int status;
    std::string_view code;
    Origin origin;
  };
  constexpr std::array rows{
      Row{ErrorKind::invalid_request, 400, "invalid_request_error", Origin::client},
      Row{ErrorKind::context_length, 400, "context_length_exceeded", Origin::client},
      Row{ErrorKind::unsupported_parameter, 400, "unsupported_parameter", Origin::client},
      Row{ErrorKind::unsupported_endpoint, 400, "unsupported_endpoint", Origin::client},
      Row{ErrorKind::invalid_api_key, 401, "invalid_api_key", Origin::client},
      Row{ErrorKind::model_not_allowed, 403, "model_not_allowed", Origin::client},
      Row{ErrorKind::model_not_found, 404, "model_not_found", Origin::client},
      Row{ErrorKind::not_found, 404, "not_found", Origin::client},
      Row{ErrorKind::method_not_allowed, 405, "method_not_allowed", Origin::client},
      Row{ErrorKind::request_timeout, 408, "request_timeout", Origin::client},
      Row{ErrorKind::request_too_large, 413, "request_too_large", Origin::client},
      Row{ErrorKind::headers_too_large, 431, "headers_too_large", Origin::client},
      Row{ErrorKind::queue_full, 429, "queue_full", Origin::gateway},
      Row{ErrorKind::upstream_rate_limited, 429, "upstream_rate_limited", Origin::upstream},
      Row{ErrorKind::upstream_quota, 429, "upstream_rate_limited", Origin::upstream},
      Row{ErrorKind::internal, 500, "internal_error", Origin::gateway},
      Row{ErrorKind::upstream_error, 502, "upstream_error", Origin::upstream},
      Row{ErrorKind::upstream_auth, 502, "upstream_auth", Origin::upstream},
      Row{ErrorKind::upstream_overloaded, 503, "upstream_error", Origin::upstream},
      Row{ErrorKind::no_healthy_target, 503, "no_healthy_target", Origin::gateway},
      Row{ErrorKind::overloaded, 503, "overloaded", Origin::gateway},
      Row{ErrorKind::draining, 503, "draining", Origin::gateway},
      Row{ErrorKind::upstream_timeout, 504, "upstream_timeout", Origin::upstream},
      Row{ErrorKind::deadline_exceeded, 504, "deadline_exceeded", Origin::gateway},
      Row{ErrorKind::client_gone, 499, "client_gone", Origin::client},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    const Error error = make_error(row.kind, "why", "field");
    CHECK(error.status == row.status);
    CHECK(error.code == row.code);
    CHECK(contract_code(row.kind) == row.code);
    CHECK(error.origin == row.origin);
    CHECK_FALSE(error.type.empty());
    CHECK(error.message == "why");
    CHECK(error.param == "field");
    CHECK(error.retry_after.has_value() == (row.status == 503));
  }
}

TEST_CASE("x-should-retry: false stands where a retry cannot help, and only there") {
  CHECK(retry_cannot_help(make_error(ErrorKind::deadline_exceeded, "")));
  CHECK(retry_cannot_help(make_error(ErrorKind::upstream_timeout, "")));
  CHECK(retry_cannot_help(make_error(ErrorKind::upstream_error, "")));
  CHECK(retry_cannot_help(make_error(ErrorKind::upstream_auth, "")));
  CHECK(retry_cannot_help(make_error(ErrorKind::upstream_quota, "")));
  CHECK_FALSE(retry_cannot_help(make_error(ErrorKind::upstream_overloaded, "")));
  CHECK_FALSE(retry_cannot_help(make_error(ErrorKind::upstream_rate_limited, "")));
  CHECK_FALSE(retry_cannot_help(make_error(ErrorKind::queue_full, "")));
  CHECK_FALSE(retry_cannot_help(make_error(ErrorKind::overloaded, "")));
  CHECK_FALSE(retry_cannot_help(make_error(ErrorKind::draining, "")));
  CHECK_FALSE(retry_cannot_help(make_error(ErrorKind::internal, "")));
  Error conflict = make_error(ErrorKind::upstream_rejected, "");
  conflict.status = 409;
  CHECK(retry_cannot_help(conflict));
}

}  // namespace tollgate
