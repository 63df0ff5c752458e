// Each row of the retry matrix, as each provider words it: from the bytes of its reply to what may
// follow and how long that waits.
#include <doctest/doctest.h>

#include "routing/provider.hpp"
#include "routing/retry.hpp"

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;
using Wait = std::optional<milliseconds>;

struct Said {
  int status;
  std::string code;  ///< OpenAI's code, Anthropic's type, Google's status
  std::string message;
  HeaderList headers;
  Said(int with, std::string named, std::string text = "m", HeaderList fields = {})
      : status(with),
        code(std::move(named)),
        message(std::move(text)),
        headers(std::move(fields)) {}
};

struct Row {
  std::string kind;  ///< of one provider, or `*`
  Said said;
  Retry next;
  Wait wait;
};

std::string body_of(std::string_view kind, const Said& said) {
  const std::string message = R"("message":")" + said.message + '"';
  if (kind == "anthropic") {
    return R"({"type":"error","error":{"type":")" + said.code + "\"," + message + "}}";
  }
  const std::string code = kind == "gemini"
                               ? R"("code":)" + std::to_string(said.status) + R"(,"status":")"
                               : R"("code":")";
  return R"({"error":{)" + code + said.code + "\"," + message + "}}";
}

/// What the decoder makes of a reply.
Result<void> decoded(const Provider& provider, int status, const HeaderList& headers,
                     std::string_view body, bool stream) {
  ResponseHead head;
  head.status = status;
  head.headers = headers;
  DecodeHints hints;
  hints.stream = stream;
  const auto decoder = provider.decoder(head, hints);
  const auto block = std::make_shared<Block>(body.size() + 1);
  Batch batch;
  const auto fed = decoder->feed(block, block->append(body), batch);
  return fed ? decoder->finish(batch) : fed;
}

void check(const Row& row, const Provider& provider) {
  CAPTURE(provider.kind());
  CAPTURE(row.said.status);
  CAPTURE(row.said.code);
  const std::string body = body_of(provider.kind(), row.said);
  for (const bool stream : {false, true}) {
    const auto result = decoded(provider, row.said.status, row.said.headers, body, stream);
    REQUIRE_FALSE(result);
    CHECK(after_failure(result.error(), Phase::replying, 1) == row.next);
    CHECK(result.error().asked_wait == row.wait);
  }
}

constexpr milliseconds second{1000};
constexpr Retry never_again = Retry::never, other = Retry::other_target,
                same = Retry::same_or_other;
const HeaderList three{{"retry-after", "3"}};
const std::string date = "Wed, 21 Oct 2026 07:28:00 GMT", soon = "Wed, 21 Oct 2026 07:28:07 GMT";

const std::vector<Row> matrix{
    // The client's own errors.
    {"*", {400, "invalid_request_error", "429 of 503 words"}, never_again, {}},
    {"*", {413, "request_too_large"}, never_again, {}},
    {"*", {422, "invalid_request_error"}, never_again, {}},
    {"*", {404, "not_found_error"}, other, {}},
    {"openai", {400, "context_length_exceeded"}, never_again, {}},
    {"anthropic", {400, "invalid_request_error", "prompt is too long: 9 > 8"}, never_again, {}},
    {"gemini",
     {400, "INVALID_ARGUMENT",
      "The input token count exceeds the maximum number of tokens allowed"},
     never_again,
     {}},
    {"openai", {400, "content_policy_violation"}, never_again, {}},
    // The gateway's key and purse.
    {"*", {401, "authentication_error"}, other, {}},
    {"*", {403, "permission_error"}, other, {}},
    {"*", {402, "billing_error"}, other, {}},
    {"openai", {429, "insufficient_quota", "m", three}, other, {}},
    {"anthropic", {400, "invalid_request_error", "Your credit balance is too low"}, other, {}},
    {"gemini", {400, "INVALID_ARGUMENT", "API key not valid. Pass one."}, other, {}},
    {"gemini", {429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0, model: m"}, other, {}},
    // What passes by itself.
    {"*", {408, "timeout_error"}, same, {}},
    {"*", {409, "conflict"}, same, {}},
    {"*", {424, "x"}, same, {}},
    {"*", {498, "x"}, same, {}},
    {"*", {500, "api_error"}, same, {}},
    {"*", {502, "x"}, same, {}},
    {"*", {503, "UNAVAILABLE"}, same, {}},
    {"*", {503, "UNAVAILABLE", "m", three}, same, 3 * second},
    {"*", {504, "DEADLINE_EXCEEDED"}, same, {}},
    {"*", {529, "overloaded_error"}, same, {}},
    {"*", {501, "x"}, other, {}},
    // Rate limits, and how long they last.
    {"*", {429, "rate_limit_exceeded"}, same, {}},
    {"*", {429, "rate_limit_exceeded", "m", three}, same, 3 * second},
    {"*",
     {429, "x", "m", {{"retry-after-ms", "1500"}, {"retry-after", "1"}}},
     same,
     milliseconds(1500)},
    {"*", {429, "x", "m", {{"retry-after", "0.25"}}}, same, milliseconds(250)},
    {"*", {429, "x", "m", {{"retry-after", "-4"}}}, same, milliseconds(0)},
    {"*", {429, "x", "m", {{"date", date}, {"retry-after", soon}}}, same, 7 * second},
    {"*", {429, "x", "m", {{"date", soon}, {"retry-after", date}}}, same, milliseconds(0)},
    {"*", {429, "x", "m", {{"retry-after", "soon"}}}, same, {}},
    {"*",
     {429,
      "x",
      "m",
      {{"x-ratelimit-remaining-requests", "0"},
       {"x-ratelimit-reset-requests", "1m2s"},
       {"x-ratelimit-remaining-tokens", "70"},
       {"x-ratelimit-reset-tokens", "9h"}}},
     same,
     62 * second},
    {"*",
     {429, "x", "m", {{"x-ratelimit-remaining-tokens", "-1"}, {"x-ratelimit-reset-tokens", "9"}}},
     same,
     {}},
    {"*",
     {429,
      "x",
      "m",
      {{"date", date},
       {"anthropic-ratelimit-input-tokens-remaining", "0"},
       {"anthropic-ratelimit-input-tokens-reset", "2026-10-21T07:28:40Z"}}},
     same,
     40 * second},
    {"gemini", {429, "RESOURCE_EXHAUSTED", "Please retry in 46.2s."}, same, milliseconds(46200)},
};

}  // namespace

TEST_CASE("the retry matrix, in the words of each provider") {
  for (const Row& row : matrix) {
    std::size_t met = 0;
    for (const Provider* provider : providers()) {
      if (row.kind != "*" && row.kind != provider->kind()) continue;
      check(row, *provider);
      ++met;
    }
    CHECK(met >= (row.kind == "*" ? providers().size() : 1));
  }
}

TEST_CASE("a 200 that brings an error, nothing, or no end is the failure that it is") {
  for (const Provider* provider : providers()) {
    CAPTURE(provider->kind());
    const std::string error = body_of(provider->kind(), {529, "overloaded_error"});
    const std::string event =
        (provider->kind() == "anthropic" ? "event: error\ndata: " : "data: ") + error + "\n\n";
    auto result = decoded(*provider, 200, {}, event, true);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::upstream_overloaded);
    CHECK(after_failure(result.error(), Phase::replying, 1) == same);

    result = decoded(*provider, 200, {}, ": nothing\n\n", true);
    REQUIRE_FALSE(result);
    CHECK(after_failure(result.error(), Phase::replying, 1) == same);
    CHECK(after_failure(result.error(), Phase::replying, 2) == other);

    result = decoded(*provider, 200, {}, "{\"half", false);
    REQUIRE_FALSE(result);
    CHECK(after_failure(result.error(), Phase::replying, 1) == same);
  }
}

}  // namespace tollgate::routing
