#include "gateway/app/access_line.hpp"

#include <doctest/doctest.h>
#include <string>

namespace tollgate::app {
namespace {

using std::chrono::microseconds;

SystemTime at(std::int64_t seconds, std::int64_t micros) {
  return SystemTime{std::chrono::seconds(seconds) + microseconds(micros)};
}

Outcome good_call() {
  Outcome outcome;
  outcome.request_id = "0199-1";
  outcome.client_request_id = "mine";
  outcome.started_at = at(1'800'000'000, 5);
  outcome.ended_at = at(1'800'000'001, 999'999);
  outcome.tenant = "acme";
  outcome.key_id = "acme-1";
  outcome.user = "u\"1";
  outcome.tags = {{"team", "red"}, {"a\\b", "ü\n"}};
  outcome.model_asked = "gpt";
  outcome.model = "gpt*";
  outcome.provider = "up";
  outcome.upstream_model = "gpt-4o";
  outcome.stream = true;
  outcome.status = CallStatus::ok;
  outcome.http_status = 200;
  outcome.finish = "stop";
  outcome.usage = {.input = 1, .cache_read = 2, .cache_write = 3, .output = 4, .reasoning = 5};
  outcome.usage_from_provider = true;
  outcome.ttft = microseconds(0);
  outcome.duration = microseconds(1'999'994);
  outcome.overhead = microseconds(42);
  outcome.attempts.resize(1);
  outcome.request_bytes = 3072;
  outcome.response_bytes = 18'446'744'073'709'551'615U;
  outcome.client_address = "127.0.0.1";
  return outcome;
}

Outcome failed_call() {
  Outcome outcome;
  outcome.endpoint = Endpoint::embeddings;
  outcome.status = CallStatus::error;
  outcome.http_status = 502;
  outcome.error = "upstream_error";
  outcome.error_detail = "\x80";
  outcome.error_origin = Origin::upstream;
  outcome.attempts.resize(3);
  for (AttemptOutcome& attempt : outcome.attempts) {
    attempt.provider = "up";
    attempt.upstream_model = "m";
    attempt.error = "upstream_error";
    attempt.ended_at = attempt.started_at + microseconds(7);
  }
  outcome.attempts[0].http_status = 500;
  outcome.attempts[0].error_detail = "said no";
  outcome.attempts[1].error.clear();
  return outcome;
}

std::string started(AccessLine& line, SystemTime time) {
  Outcome outcome;
  outcome.started_at = time;
  const std::string text(line.render(outcome));
  constexpr std::string_view name = R"("started_at":")";
  const std::size_t begin = text.find(name) + name.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

}  // namespace

TEST_CASE("access_line: a good call, byte by byte") {
  AccessLine line;
  CHECK(line.render(good_call()) ==
        R"({"kind":"call","request_id":"0199-1","client_request_id":"mine",)"
        R"("started_at":"2027-01-15T08:00:00.000005Z","ended_at":"2027-01-15T08:00:01.999999Z",)"
        R"("tenant":"acme","key_id":"acme-1","user":"u\"1","tags":{"team":"red","a\\b":"ü\n"},)"
        R"("endpoint":"/v1/chat/completions","model_asked":"gpt","model":"gpt*",)"
        R"("provider":"up","upstream_model":"gpt-4o","stream":true,"status":"ok",)"
        R"("http_status":200,"error":null,"error_detail":null,"finish":"stop","input_tokens":1,)"
        R"("cache_read_tokens":2,"cache_write_tokens":3,"output_tokens":4,"reasoning_tokens":5,)"
        R"("usage_source":"provider","cost_nano_usd":null,"charged_nano_usd":0,)"
        R"("admitted_at":null,"count":1,"price_version":null,)"
        R"("ttft_us":0,"duration_us":1999994,"overhead_us":42,)"
        R"("attempts":1,"request_bytes":3072,"response_bytes":18446744073709551615,)"
        R"("client_address":"127.0.0.1","attempt_errors":[]})"
        "\n");
}

TEST_CASE("access_line: a failed call says null for what is not known, and lists its attempts") {
  AccessLine line;
  CHECK(line.render(failed_call()) ==
        R"({"kind":"call","request_id":null,"client_request_id":null,)"
        R"("started_at":"1970-01-01T00:00:00.000000Z","ended_at":"1970-01-01T00:00:00.000000Z",)"
        R"("tenant":null,"key_id":null,"user":null,"tags":{},"endpoint":"/v1/embeddings",)"
        R"("model_asked":null,"model":null,"provider":null,"upstream_model":null,)"
        R"("stream":false,"status":"error","http_status":502,"error":"upstream_error",)"
        "\"error_detail\":\"\xEF\xBF\xBD\","
        R"("origin":"upstream","finish":null,"input_tokens":0,"cache_read_tokens":0,)"
        R"("cache_write_tokens":0,"output_tokens":0,"reasoning_tokens":0,)"
        R"("usage_source":"estimated",)"
        R"("cost_nano_usd":null,"charged_nano_usd":0,"admitted_at":null,"count":1,)"
        R"("price_version":null,)"
        R"("ttft_us":null,"duration_us":0,"overhead_us":0,"attempts":3,"request_bytes":0,)"
        R"("response_bytes":0,"client_address":null,"attempt_errors":[)"
        R"({"provider":"up","upstream_model":"m","http_status":500,"error":"upstream_error",)"
        R"("detail":"said no","duration_us":7},)"
        R"({"provider":"up","upstream_model":"m","http_status":0,"error":"upstream_error",)"
        R"("detail":null,"duration_us":7}]})"
        "\n");
}

TEST_CASE("access_line: what the cache had stands there only where there is a cache") {
  Outcome outcome = good_call();
  outcome.cache = "hit";
  outcome.avoided = 12;
  const std::string text(AccessLine{}.render(outcome));
  CHECK(text.find(R"(,"cache":"hit","avoided_nano_usd":12,)") != std::string::npos);
  CHECK(text.find(R"("cache":)") == text.rfind(R"("cache":)"));
}

TEST_CASE("access_line: one after another, longer and shorter ones") {
  AccessLine line;
  const std::string good(AccessLine{}.render(good_call()));
  const std::string failed(AccessLine{}.render(failed_call()));
  Outcome large = good_call();
  large.user.assign(100'000, '"');
  for (int i = 0; i < 3; ++i) {
    CHECK(line.render(good_call()) == good);
    CHECK(line.render(failed_call()) == failed);
    CHECK(line.render(large).size() == good.size() - 4 + 200'000);
  }
}

TEST_CASE("access_line: times, in any order") {
  AccessLine line;
  CHECK(started(line, at(951'782'400, 0)) == "2000-02-29T00:00:00.000000Z");
  CHECK(started(line, at(4'107'542'399, 999'999)) == "2100-02-28T23:59:59.999999Z");
  CHECK(started(line, at(4'107'542'400, 10)) == "2100-03-01T00:00:00.000010Z");
  CHECK(started(line, at(4'107'542'399, 1)) == "2100-02-28T23:59:59.000001Z");
  CHECK(started(line, SystemTime{std::chrono::nanoseconds(1'999)}) ==
        "1970-01-01T00:00:00.000001Z");
  CHECK(started(line, at(-1, 250'000)) == "1969-12-31T23:59:59.250000Z");
}

}  // namespace tollgate::app
