#include "routing/provider_limit.hpp"

#include <doctest/doctest.h>
#include <thread>

#include "routing/health.hpp"
#include "routing/rate_headers.hpp"

namespace tollgate::routing {
namespace {
using namespace std::chrono_literals;
const SteadyTime start{1h};
}  // namespace

TEST_CASE("requests a minute: as many at once, then one whenever one has come back") {
  ProviderLimit limit;
  limit.set({.requests_per_minute = 60});
  for (int i = 0; i < 60; ++i)
    CHECK(limit.take(0, start).usable());
  const Availability full = limit.take(0, start);
  CHECK(full.rest == Rest::limited);
  CHECK(full.until - start <= 1s + 1us);
  CHECK(limit.look(0, full.until).usable());
  CHECK(limit.take(0, full.until).usable());
  CHECK_FALSE(limit.take(0, full.until).usable());
}

TEST_CASE("tokens a minute: the truth is settled afterwards, debt and too much alike") {
  ProviderLimit limit;
  limit.set({.tokens_per_minute = 6000});
  CHECK(limit.take(5000, start).usable());
  CHECK_FALSE(limit.look(2000, start).usable());
  limit.give_back(5000, 1000, start);
  CHECK(limit.take(5000, start).usable());
  limit.give_back(5000, 11000, start);  // 6000 of debt
  CHECK(limit.look(100, start + 59s).rest == Rest::limited);
  CHECK(limit.look(100, start + 61s + 1us).usable());
  // Larger than the bucket: passes when that is full.
  CHECK_FALSE(limit.look(9000, start + 100s).usable());
  CHECK(limit.look(9000, start + 120s).usable());
}

TEST_CASE("a limit that a reload brings begins with a full minute, and keeps what it knows") {
  ProviderLimit limit;
  limit.set({.concurrent = 9});
  CHECK(limit.take(0, start).usable());
  limit.give_back(0, 50'000, start);  // nobody counted
  limit.set({.tokens_per_minute = 6000, .concurrent = 9});
  CHECK(limit.take(6000, start).usable());
  limit.set({.tokens_per_minute = 3000, .concurrent = 9});
  CHECK_FALSE(limit.look(1, start).usable());
}

TEST_CASE("concurrent attempts") {
  ProviderLimit limit;
  limit.set({.concurrent = 2});
  CHECK(limit.take(9, start).usable());
  CHECK(limit.take(9, start).usable());
  CHECK_FALSE(limit.take(9, start).usable());
  limit.give_back(9, 9, start);
  CHECK(limit.take(9, start).usable());
  limit.set({});
  CHECK(limit.look(9, start).usable());
}

TEST_CASE("a target at its provider's limit rests; a tenant's own key is not counted") {
  const auto limit = std::make_shared<ProviderLimit>();
  limit->set({.concurrent = 1});
  TargetHealth one("p", "a", 1, limit), other("p", "b", 1, limit);
  Availability refused;
  const auto pass = one.enter(0, start, refused, 5);
  REQUIRE(pass);
  CHECK(other.look(start).rest == Rest::limited);
  CHECK_FALSE(other.enter(0, start, refused).has_value());
  CHECK(refused.rest == Rest::limited);
  const auto own = other.enter(TargetHealth::foreign_key, start, refused);
  REQUIRE(own);
  limit->set({});  // a reload in the middle
  one.leave(*pass, {.verdict = Verdict::good}, start);
  other.leave(*own, {.verdict = Verdict::good}, start);
  limit->set({.concurrent = 1});
  CHECK(other.look(start).usable());
}

TEST_CASE("a probe that the provider's limit holds back leaves the breaker ready for another") {
  const auto limit = std::make_shared<ProviderLimit>();
  TargetHealth health("p", "m", 1, limit);
  health.set_rules({.failures = 1});
  Availability refused;
  auto pass = health.enter(0, start, refused);
  health.leave(*pass, {.verdict = Verdict::failed}, start);
  limit->set({.concurrent = 1});
  CHECK(limit->take(0, start).usable());
  CHECK_FALSE(health.enter(0, start + 31s, refused).has_value());
  limit->give_back(0, 0, start + 31s);
  pass = health.enter(0, start + 31s, refused);
  REQUIRE(pass);
  CHECK(pass->probe);
}

TEST_CASE("many threads: never more at a time than allowed") {
  ProviderLimit limit;
  limit.set({.concurrent = 3});
  std::atomic<int> running{0}, most{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 2000; ++n) {
          if (!limit.take(1, start).usable()) continue;
          const int now = ++running;
          int seen = most;
          while (seen < now && !most.compare_exchange_weak(seen, now)) {
          }
          --running;
          limit.give_back(1, 1, start);
        }
      });
    }
  }
  CHECK(most <= 3);
  for (int i = 0; i < 3; ++i)
    CHECK(limit.take(1, start).usable());
}

TEST_CASE("what providers say is left of our limits") {
  struct Row {
    HeaderFields headers;
    std::optional<std::chrono::milliseconds> wait;
  };
  const std::vector<Row> rows{
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}}, 6min},
      {{{"X-RateLimit-Remaining-Tokens", "0"}, {"x-ratelimit-reset-tokens", "21ms"}}, 21ms},
      {{{"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "2s"},
        {"x-ratelimit-remaining-tokens", "0"},
        {"x-ratelimit-reset-tokens", "5s"}},
       5s},
      {{{"x-ratelimit-remaining-requests", "7"}, {"x-ratelimit-reset-requests", "2s"}}, {}},
      {{{"x-ratelimit-remaining-requests", "-1"}, {"x-ratelimit-reset-requests", "2"}}, {}},
      {{{"x-ratelimit-remaining-requests", "0"}}, {}},
      {{{"content-length", "0"}}, {}},
      {{{"date", "Wed, 21 Oct 2026 07:28:00 GMT"},
        {"anthropic-ratelimit-input-tokens-remaining", "0"},
        {"anthropic-ratelimit-input-tokens-reset", "2026-10-21T07:28:09Z"}},
       9s},
      {{{"anthropic-ratelimit-requests-remaining", "0"},
        {"anthropic-ratelimit-requests-reset", "2026-10-21T07:28:09Z"}},
       {}},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "1d"}}, {}},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "5h"}}, 1h},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    CHECK(nothing_left_for(rows[i].headers) == rows[i].wait);
  }
}

namespace {

/// A server that answers as fast with `capacity` calls as with one, and then in proportion slower.
/// Returns the limit after so many rounds, each with all places in use.
std::uint32_t limit_found(AdaptiveLimit& limit, std::uint32_t capacity, int rounds,
                          std::uint32_t ceiling = 0) {
  for (int i = 0; i < rounds; ++i) {
    const std::uint32_t running = limit.limit();
    limit.observe(100ms * std::max(running, capacity) / capacity, running, ceiling);
  }
  return limit.limit();
}

}  // namespace

TEST_CASE("adaptive limit: grows while nothing gets slower, shrinks when it does, both to bounds") {
  AdaptiveLimit limit;
  const std::uint32_t found = limit_found(limit, 100, 300);
  CHECK(found >= 100);
  CHECK(found <= 250);
  CHECK(limit_found(limit, 20, 100) < found / 2);
  AdaptiveLimit bounded;
  CHECK(limit_found(bounded, 100, 300, 30) == 30);
  for (int i = 0; i < 100; ++i)
    bounded.failed();
  CHECK(bounded.limit() == 1);
}

TEST_CASE("adaptive limit: an idle server teaches nothing") {
  AdaptiveLimit limit;
  for (int i = 0; i < 1000; ++i)
    limit.observe(100ms, 1, 0);
  CHECK(limit.limit() == 20);
}

TEST_CASE("adaptive limit of a provider: its places move with the time to the first token") {
  const auto limit = std::make_shared<ProviderLimit>();
  limit->set({.concurrent = 64, .adaptive = true});
  TargetHealth health("p", "m", 1, limit);
  const auto full_house = [&](std::chrono::nanoseconds took) {
    std::vector<Pass> passes;
    Availability refused;
    while (auto pass = health.enter(0, start, refused))
      passes.push_back(*pass);
    CHECK(refused.rest == Rest::limited);
    for (Pass& pass : passes)
      health.first_token(pass, took, start);
    for (const Pass& pass : passes)
      health.leave(pass, {.verdict = Verdict::good}, start);
    return passes.size();
  };
  CHECK(full_house(10ms) == 20);
  for (int i = 0; i < 20; ++i)
    full_house(10ms);
  CHECK(full_house(10ms) == 64);
  for (int i = 0; i < 3; ++i)
    full_house(100ms);
  CHECK(full_house(10ms) < 32);
}

}  // namespace tollgate::routing
