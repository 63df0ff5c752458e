// A provider that goes on past the limit that a budget sent (M4, M7): more is held while there is
// room, and where there is none the stream is cut with finish `length`.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "tests/unit/app/scripted.hpp"

namespace tollgate::app::test {
namespace {

const std::string secret = "tg-k-0123456789012345678901";

/// At a dollar a million tokens of input, and ten of output.
std::string yaml(const std::string& usd, const std::string& reserve = "bound") {
  return "version: 1\nproviders:\n  p: {kind: openai, api_key: k, price: {input: 1, output: 10}}\n"
         "models:\n  m: {targets: [{provider: p, model: u}]}\ntenants:\n  t:\n    budgets: "
         "[{usd: " +
         usd + ", per: total, reserve: " + reserve + "}]\n    keys: [{id: k, sha256: \"" +
         config::sha256_hex(secret) + "\"}]\n";
}

const std::string ask =
    R"({"model":"m","max_tokens":10,"stream":true,"messages":[{"role":"user","content":"x"}]})";

std::string chunk(const std::string& text) {
  return R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"u","choices":[)"
         R"({"index":0,"delta":{"content":")" +
         text + "\"},\"finish_reason\":null}]}\n\n";
}

/// 40 pieces of a hundred bytes, then a good end: 4,000 bytes are more than 10 tokens.
std::vector<std::string> endless() {
  std::vector<std::string> pieces(40, chunk(std::string(100, 'a')));
  pieces.push_back(
      R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"u","choices":[)"
      R"({"index":0,"delta":{},"finish_reason":"stop"}]})"
      "\n\n"
      R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"u","choices":[],)"
      R"("usage":{"prompt_tokens":5,"completion_tokens":1000,"total_tokens":1005}})"
      "\n\ndata: [DONE]\n\n");
  return pieces;
}

std::size_t count(const std::string& text, const std::string& of) {
  std::size_t found = 0;
  for (std::size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("M4: where the budget has no room for more, the stream ends with length") {
  House house(yaml("0.0004"), endless(), 0);
  const ScriptedClient client = house.call(ask, secret);
  REQUIRE(house.recorder.outcomes.size() == 1);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(outcome.status == CallStatus::ok);
  CHECK(outcome.finish == "length");
  CHECK(client.received.find(R"("finish_reason":"length")") != std::string::npos);
  CHECK(client.received.ends_with("data: [DONE]\n\n"));
  CHECK(count(client.received, "aaaa\"") < 40);
  CHECK(count(client.received, "[DONE]") == 1);
  CHECK(client.ended);
  CHECK(house.upstream.open == 0);
  // All that was held: what was shown is more than the limit's tokens can be.
  REQUIRE(outcome.attempts.size() == 1);
  CHECK(outcome.charged >= outcome.attempts.front().reserved);
  CHECK(outcome.charged <= 400'000);
  CHECK(house.store.totals().reserved == 0);
  CHECK(house.store.totals().spent == outcome.charged);
}

TEST_CASE("M4, M7: where there is room more is held, and the true cost is charged in full") {
  House house(yaml("1"), endless(), 0);
  const ScriptedClient client = house.call(ask, secret);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(outcome.finish == "stop");
  CHECK(count(client.received, "aaaa\"") == 40);
  CHECK(outcome.charged == 5 * 1000 + 1000 * 10'000);
  CHECK(house.store.totals().reserved == 0);
  CHECK(house.store.totals().spent == outcome.charged);
}

TEST_CASE("M4: a soft budget sends no limit, so it cuts nothing") {
  House house(yaml("0.0004", "estimate"), endless(), 0);
  const ScriptedClient client = house.call(ask, secret);
  CHECK(count(client.received, "aaaa\"") == 40);
}

}  // namespace tollgate::app::test
