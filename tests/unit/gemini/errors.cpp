#include <doctest/doctest.h>

#include "routing/providers/gemini.hpp"

using namespace tollgate;
using namespace tollgate::routing::gemini;
using std::chrono::milliseconds;

namespace {
Error of(int status, std::string_view error) {
  return read_error(status, {}, R"({"error":)" + std::string(error) + "}");
}
}  // namespace

TEST_CASE("a refused key is our fault, whatever status it comes with") {
  const Error error = of(
      400, R"({"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":)"
           R"([{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]})");
  CHECK(error.kind == ErrorKind::upstream_auth);
  CHECK(error.status == 502);
  CHECK(error.message.find("API key") == std::string::npos);
  CHECK(of(403, R"({"code":403,"message":"m","status":"PERMISSION_DENIED"})").kind ==
        ErrorKind::upstream_auth);
}

TEST_CASE("a request of the client's stays the client's") {
  const Error bad = of(400, R"({"code":400,"message":"Bad \"x\".","status":"INVALID_ARGUMENT"})");
  CHECK(bad.kind == ErrorKind::upstream_rejected);
  CHECK(bad.status == 400);
  CHECK(bad.message == "Bad \"x\".");
  CHECK(bad.type == "invalid_request_error");
  const Error place = of(400, R"({"code":400,"message":"User location is not supported.",)"
                              R"("status":"FAILED_PRECONDITION"})");
  CHECK(place.status == 400);
  CHECK(of(404, R"({"code":404,"message":"m","status":"NOT_FOUND"})").code == "model_not_found");
  CHECK(of(400, R"({"code":400,"message":"The input token count (2) exceeds the maximum number of )"
                R"(tokens allowed (1).","status":"INVALID_ARGUMENT"})")
            .kind == ErrorKind::context_length);
  CHECK(of(499, R"({"code":499,"message":"m","status":"CANCELLED"})").status == 499);
}

TEST_CASE("limits say how long to wait; spent quotas do not") {
  const Error wait =
      of(429, R"({"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[)"
              R"({"@type":"type.googleapis.com/google.rpc.RetryInfo",)"
              R"("retryDelay":"46.2s"}]})");
  CHECK(wait.kind == ErrorKind::upstream_rate_limited);
  CHECK(wait.retry_after == milliseconds(46200));
  CHECK(of(429, R"({"code":429,"message":"Quota. Please retry in 12.5s.","status":"x"})")
            .retry_after == milliseconds(12500));
  const Error day =
      of(429, R"({"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[)"
              R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":)"
              R"([{"quotaId":"GenerateRequestsPerDayPerProject"}]},)"
              R"({"@type":"type.googleapis.com/google.rpc.RetryInfo",)"
              R"("retryDelay":"46s"}]})");
  CHECK(day.kind == ErrorKind::upstream_quota);
  CHECK(!day.retry_after);
  CHECK(of(429, R"({"message":"Quota exceeded, limit: 0, model: x"})").kind ==
        ErrorKind::upstream_quota);
  CHECK(of(429, R"({"message":"Quota exceeded, limit: 0.5"})").kind ==
        ErrorKind::upstream_rate_limited);
}

TEST_CASE("server failures may be tried again") {
  CHECK(of(500, R"({"code":500,"message":"m","status":"INTERNAL"})").retry == Retry::same_or_other);
  CHECK(of(503, R"({"code":503,"message":"m","status":"UNAVAILABLE"})").kind ==
        ErrorKind::upstream_overloaded);
  CHECK(of(504, R"({"code":504,"message":"m","status":"DEADLINE_EXCEEDED"})").kind ==
        ErrorKind::upstream_timeout);
}

TEST_CASE("errors come alone, in an array, behind data:, or as no JSON at all") {
  constexpr std::string_view body = R"({"error":{"code":429,"message":"slow","status":"x"}})";
  for (const std::string& coat :
       {std::string(body), "[" + std::string(body) + "]", "data: " + std::string(body) + "\n\n",
        " \n[\n" + std::string(body) + "\n]"}) {
    CAPTURE(coat);
    CHECK(read_error(0, {}, coat).message == "slow");
    CHECK(read_error(0, {}, coat).status == 429);
  }
  CHECK(read_error(502, {}, "<html>").status == 502);
  CHECK(read_error(503, {}, "").kind == ErrorKind::upstream_overloaded);
  CHECK(read_error(0, {}, "{").kind == ErrorKind::upstream_error);
  CHECK(read_error(0, {}, R"({"error":{"message":"m","status":"UNAVAILABLE"}})").status == 503);
}
