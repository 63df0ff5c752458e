// Calls beside a cache, every step failing once: only a reply that reached its end is kept, and a
// call that is answered from the cache settles, records and ends like any other.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "tests/unit/app/scripted.hpp"

namespace tollgate::app::test {
namespace {

const std::string secret = "tg-k-0123456789012345678901";

std::string yaml() {
  return "version: 1\nproviders:\n  p: {kind: openai, api_key: sk-x, price: {input: 2, output: "
         "8}}\nmodels:\n  m: {targets: [{provider: p, model: u}], retry: {attempts: 1}}\ncache: "
         "{when: always}\n"
         "tenants:\n  t:\n    limits: {requests_per_minute: 10, concurrent: 1}\n"
         "    budgets: [{usd: 1, per: total}]\n    keys: [{id: k, sha256: \"" +
         config::sha256_hex(secret) + "\"}]\n";
}

const std::vector<std::string> whole_reply{
    R"({"id":"c","object":"chat.completion","created":1,"model":"u","choices":[{"index":0,)",
    R"("message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":)",
    R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})"};

std::string ask(bool stream) {
  return std::string(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],)"
                     R"("stream":)") +
         (stream ? "true}" : "false}");
}

struct CachingHouse : House {
  cache::MemoryCache cache{1U << 20U, 4096};
  CachingHouse() : House(yaml(), whole_reply, 0) { shared.cache = &cache; }

  ScriptedClient call_failing_at(int step, bool stream) {
    steps = {.fail_at = step};
    return call(ask(stream), secret);
  }
  [[nodiscard]] const Outcome& last() const { return recorder.outcomes.back(); }
  void check_books() {
    CHECK(settled == admitted);
    CHECK(upstream.open == 0);
    CHECK(shared.in_flight == 0);
    CHECK(metrics.streams_active == 0);
    CHECK(store.totals().reserved == 0);
    NanoUsd charged = 0;
    for (const Outcome& outcome : recorder.outcomes)
      charged += outcome.charged;
    CHECK(store.totals().spent == charged);
  }
};

}  // namespace

TEST_CASE("cached calls: whichever step fails, only a whole reply is kept") {
  CachingHouse good;
  good.call_failing_at(0, false);
  const int all = good.steps.taken;
  CHECK(good.cache.stats().entries == 1);
  for (int step = 1; step <= all; ++step) {
    CAPTURE(step);
    CachingHouse house;
    house.call_failing_at(step, false);
    house.check_books();
    // The last step is the client's: by then the reply is whole.
    CHECK(house.cache.stats().entries == (step == all ? 1 : 0));
  }
}

TEST_CASE("cached calls: whichever step of a hit fails, nobody is asked and the books are right") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    int all = 1;
    for (int step = 0; step <= all; ++step) {
      CAPTURE(step);
      CachingHouse house;
      house.call_failing_at(0, false);
      const ScriptedClient client = house.call_failing_at(step, stream);
      if (step == 0) all = house.steps.taken;
      house.check_books();
      CHECK(house.upstream.sent == 1);
      CHECK(house.recorder.outcomes.size() == 2);
      CHECK(house.last().charged == 0);
      CHECK(house.last().attempts.empty());
      if (step > 0) continue;
      CHECK(house.last().status == CallStatus::cache_hit);
      CHECK(house.last().avoided == house.recorder.outcomes.front().cost);
      CHECK(client.received.find("Hello") != std::string::npos);
      CHECK(client.head.find("x-tollgate-cache: hit") != std::string::npos);
    }
    CHECK(all >= 4);  // the body, two policies, the client
  }
}

}  // namespace tollgate::app::test
