#include <doctest/doctest.h>

#include "routing/providers/anthropic_decode.hpp"

using namespace tollgate;
using namespace tollgate::routing::anthropic;

namespace {
std::string body(std::string_view type, std::string_view message, std::string_view more = {}) {
  return R"({"type":"error","error":{"type":")" + std::string(type) + R"(","message":")" +
         std::string(message) + "\"" + std::string(more) + R"(},"request_id":"req_1"})";
}
}  // namespace

TEST_CASE("statuses and kinds") {
  struct Row {
    int status;
    std::string_view type;
    ErrorKind kind;
    int to_client;
  };
  for (const Row& row : std::initializer_list<Row>{
           {400, "invalid_request_error", ErrorKind::upstream_rejected, 400},
           {401, "authentication_error", ErrorKind::upstream_auth, 502},
           {402, "billing_error", ErrorKind::upstream_quota, 429},
           {403, "permission_error", ErrorKind::upstream_auth, 502},
           {404, "not_found_error", ErrorKind::upstream_rejected, 404},
           {409, "conflict_error", ErrorKind::upstream_rejected, 409},
           {413, "request_too_large", ErrorKind::upstream_rejected, 413},
           {429, "rate_limit_error", ErrorKind::upstream_rate_limited, 429},
           {500, "api_error", ErrorKind::upstream_error, 500},
           {504, "timeout_error", ErrorKind::upstream_timeout, 504},
           {529, "overloaded_error", ErrorKind::upstream_overloaded, 503},
       }) {
    CAPTURE(row.status);
    const Error error = read_error(row.status, {}, body(row.type, "why"));
    CHECK(error.kind == row.kind);
    CHECK(error.status == row.to_client);
    CHECK(error.upstream_status == row.status);
    CHECK(error.detail.contains("request-id req_1"));
  }
}

TEST_CASE("a prompt that is too long is a context error") {
  const Error error = read_error(
      400, {}, body("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"));
  CHECK(error.kind == ErrorKind::context_length);
  CHECK(error.code == "context_length_exceeded");
}

TEST_CASE("the header's request id counts, and retry-after") {
  const Error error = read_error(429, {{"Request-Id", "req_h"}, {"retry-after", "7"}},
                                 body("rate_limit_error", "slow down"));
  CHECK(error.detail == "request-id req_h");
  CHECK(error.retry_after == std::chrono::seconds(7));
}

TEST_CASE("a spend limit is final unless a delay is named") {
  constexpr std::string_view more = R"(,"details":{"error_code":"enforced_spend_limit_reached"})";
  const std::string limit = body("rate_limit_error", "spend limit", more);
  CHECK(read_error(429, {}, limit).kind == ErrorKind::upstream_quota);
  CHECK(!read_error(429, {}, limit).retry_after);
  CHECK(read_error(429, {{"retry-after", "60"}}, limit).kind == ErrorKind::upstream_rate_limited);
}

TEST_CASE("a body that is no JSON") {
  const Error plain = read_error(503, {}, "upstream connect error");
  CHECK(plain.message == "upstream connect error");
  CHECK(plain.status == 503);
  CHECK(!read_error(502, {}, "<html>secret page</html>").message.contains("html"));
  CHECK(read_error(500, {}, "").status == 500);
}

TEST_CASE("keys in a message are masked") {
  const Error error =
      read_error(400, {}, body("invalid_request_error", "bad key sk-ant-api03-abcdefghijk"));
  CHECK(!error.message.contains("abcdefghijk"));
}
