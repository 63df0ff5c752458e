#include <doctest/doctest.h>

#include "routing/providers/error_table.hpp"
#include "tests/unit/openai/support.hpp"

using namespace tollgate;
using namespace tollgate::routing;
using namespace tollgate::routing::openai::test;
using std::chrono::milliseconds;

namespace {

Error error_of(int status, std::string_view body, const HeaderList& headers = {}) {
  const Got got = decode(body, {}, status, headers);
  REQUIRE_FALSE(got.result);
  CHECK(got.events.empty());
  CHECK(got.result.error().upstream_status == status);
  return got.result.error();
}

struct Row {
  int status;
  std::string body;
  ErrorKind kind;
  int client_status;
  std::string code;
  Retry retry;
};

}  // namespace

TEST_CASE("the retry matrix, by status and then by structured code") {
  const std::vector<Row> rows{
      {400, R"({"error":{"message":"m","code":"x"}})", ErrorKind::upstream_rejected, 400, "x",
       Retry::never},
      {404, R"({"error":{"message":"m"}})", ErrorKind::upstream_rejected, 404, "model_not_found",
       Retry::other_target},
      {422, R"({"detail":[{"loc":[],"msg":"m"}]})", ErrorKind::upstream_rejected, 422,
       "invalid_request_error", Retry::never},
      {408, "", ErrorKind::upstream_rejected, 408, "request_timeout", Retry::same_or_other},
      {409, R"({"message":"m"})", ErrorKind::upstream_rejected, 409, "invalid_request_error",
       Retry::same_or_other},
      {401, R"({"error":{"message":"m"}})", ErrorKind::upstream_auth, 502, "upstream_auth",
       Retry::other_target},
      {403, R"({"error":{"message":"m"}})", ErrorKind::upstream_auth, 502, "upstream_auth",
       Retry::other_target},
      {400, R"({"code":"invalid-argument","error":"Incorrect API key provided."})",
       ErrorKind::upstream_auth, 502, "upstream_auth", Retry::other_target},
      {402, R"({"error":{"message":"m"}})", ErrorKind::upstream_quota, 429, "upstream_rate_limited",
       Retry::other_target},
      {429, R"({"error":{"message":"m","code":"insufficient_quota"}})", ErrorKind::upstream_quota,
       429, "upstream_rate_limited", Retry::other_target},
      {429, R"({"error":{"message":"m","code":"rate_limit_exceeded"}})",
       ErrorKind::upstream_rate_limited, 429, "upstream_rate_limited", Retry::same_or_other},
      {500, R"({"error":{"message":"m"}})", ErrorKind::upstream_error, 500, "upstream_error",
       Retry::same_or_other},
      {502, "<html>bad</html>", ErrorKind::upstream_error, 502, "upstream_error",
       Retry::same_or_other},
      {501, R"({"error":{"message":"m"}})", ErrorKind::upstream_error, 501, "upstream_error",
       Retry::other_target},
      {498, "m", ErrorKind::upstream_overloaded, 503, "upstream_error", Retry::same_or_other},
      {503, "m", ErrorKind::upstream_overloaded, 503, "upstream_error", Retry::same_or_other},
      {529, "m", ErrorKind::upstream_overloaded, 503, "upstream_error", Retry::same_or_other},
      {504, "m", ErrorKind::upstream_timeout, 504, "upstream_timeout", Retry::same_or_other},
      {302, "", ErrorKind::upstream_error, 502, "upstream_error", Retry::same_or_other},
      {400, R"({"error":{"message":"This model's maximum context length is 5","code":400}})",
       ErrorKind::context_length, 400, "context_length_exceeded", Retry::never},
      {400, R"({"error":{"message":"m","type":"too_many_prompt_tokens","code":400}})",
       ErrorKind::context_length, 400, "context_length_exceeded", Retry::never},
      {403, R"({"error":{"message":"`inputs` tokens + `max_new_tokens` must be <= 5"}})",
       ErrorKind::context_length, 400, "context_length_exceeded", Retry::never},
      {403, R"({"error":{"code":403,"message":"m","metadata":{"reasons":["violence"]}}})",
       ErrorKind::upstream_rejected, 403, "invalid_request_error", Retry::never},
      {400, R"({"code":"3051","message":"m","type":"t"})", ErrorKind::upstream_rejected, 400,
       "3051", Retry::never},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    const Error error = error_of(row.status, row.body);
    CHECK(error.kind == row.kind);
    CHECK(error.status == row.client_status);
    CHECK(error.code == row.code);
    CHECK(error.retry == row.retry);
  }
}

TEST_CASE("a provider's own words, wherever it keeps them") {
  CHECK(error_of(400, R"({"error":{"message":"m","param":"p","type":"t"}})").message == "m");
  CHECK(error_of(400, R"({"error":{"message":"m","param":"p","type":"t"}})").param == "p");
  CHECK(error_of(400, R"({"error":{"message":"m","param":"p","type":"t"}})").type == "t");
  CHECK(error_of(404, R"({"error":"m"})").message == "m");
  CHECK(error_of(400, R"({"detail":"m"})").message == "m");
  CHECK(error_of(400, R"({"detail":[{"loc":["a"],"msg":"m"}]})").message == "m");
  CHECK(error_of(400, R"([{"error":{"message":"m"}}])").message == "m");
  CHECK(error_of(400, R"({"errors":[{"code":1,"message":"m"}]})").message == "m");
  CHECK(error_of(503, "upstream connect error\n").message == "upstream connect error");
  CHECK(error_of(500, "").message == "the provider answered 500 without a readable error");
  CHECK(error_of(500, "<html>").message == "the provider answered 500 without a readable error");
}

TEST_CASE("what a refused key says stays in the log, masked there too") {
  const Error error =
      error_of(401, R"({"error":{"message":"Incorrect API key provided: sk-abcdefghijkl."}})");
  CHECK(error.message.find("Incorrect") == std::string::npos);
  CHECK(error.detail == "Incorrect API key provided: sk-***.");
}

TEST_CASE("a spent purse has no hint to retry, a rate limit always has one") {
  const HeaderList hint{{"Retry-After", "7"}};
  CHECK_FALSE(error_of(429, R"({"error":{"code":"insufficient_quota"}})", hint).retry_after);
  CHECK(error_of(429, "", hint).retry_after == milliseconds(7000));
  CHECK(error_of(429, "").retry_after == milliseconds(1000));
  CHECK(error_of(503, "", hint).retry_after == milliseconds(7000));
}

TEST_CASE("retry-after in every form, the larger one wins") {
  CHECK(retry_after({{"retry-after-ms", "0"}, {"retry-after", "1"}}) == milliseconds(1000));
  CHECK(retry_after({{"retry-after-ms", "2500"}, {"retry-after", "1"}}) == milliseconds(2500));
  CHECK(retry_after({{"retry-after-ms", "12.5"}}) == milliseconds(13));
  CHECK(retry_after({{"retry-after", " 0.25 "}}) == milliseconds(250));
  CHECK(retry_after({{"retry-after", "-3"}}) == milliseconds(0));
  CHECK(retry_after({{"retry-after", "nan"}}) == milliseconds(0));
  CHECK(retry_after({{"retry-after", "1e30"}}) == milliseconds(24 * 3600 * 1000));
  CHECK_FALSE(retry_after({{"retry-after", "soon"}}));
  CHECK_FALSE(retry_after({}));
  SUBCASE("a date counts from the reply's own date") {
    const std::string later = "Wed, 21 Oct 2015 07:28:30 GMT";
    CHECK(retry_after({{"retry-after", later}, {"date", "Wed, 21 Oct 2015 07:28:00 GMT"}}) ==
          milliseconds(30000));
    CHECK(retry_after({{"retry-after", later}, {"date", "Wed, 21 Oct 2015 08:00:00 GMT"}}) ==
          milliseconds(0));
    CHECK_FALSE(retry_after({{"retry-after", later}}));
    CHECK_FALSE(retry_after({{"retry-after", "Wed, 41 Oct 2015 07:28:30 GMT"}, {"date", later}}));
  }
}

TEST_CASE("delays as bodies write them") {
  CHECK(parse_delay("46s") == milliseconds(46000));
  CHECK(parse_delay("46.2s") == milliseconds(46200));
  CHECK(parse_delay("12ms") == milliseconds(12));
  CHECK(parse_delay("6m0s") == milliseconds(360000));
  CHECK(parse_delay("1h2m3.5s") == milliseconds(3723500));
  CHECK_FALSE(parse_delay(""));
  CHECK_FALSE(parse_delay("s"));
  CHECK_FALSE(parse_delay("1x"));
}

TEST_CASE("what looks like a key is masked, ordinary words are not") {
  CHECK(mask_secrets("key sk-proj-abcDEF_123456 is bad.") == "key sk-*** is bad.");
  CHECK(mask_secrets("AIzaSyA1234567890abcdefghi") == "AIza***");
  CHECK(mask_secrets("?key=abcdef1234567890&x=1") == "?key=***&x=1");
  CHECK(mask_secrets("Authorization: Bearer abcdefghij1234567890") == "Authorization: Bearer ***");
  CHECK(mask_secrets("a risk-assessment, a task-list and Bearer tokens") ==
        "a risk-assessment, a task-list and Bearer tokens");
  CHECK(mask_secrets("provided: sk-wrong****-key.") == "provided: sk-***.");
}
