// When a node is left alone, and for how long.
#include "gateway/net/redis/breaker.hpp"

#include <doctest/doctest.h>
#include <vector>

using namespace std::chrono_literals;
using tollgate::SteadyTime;
using tollgate::net::RedisBreaker;

namespace {

void fail_times(RedisBreaker& breaker, int times, SteadyTime at) {
  for (int i = 0; i < times; ++i) {
    REQUIRE(breaker.admit(at));
    breaker.failed(at);
  }
}

}  // namespace

TEST_CASE("five failures in a row open it, a success between them does not count as one") {
  RedisBreaker breaker;
  const SteadyTime t{};
  fail_times(breaker, 4, t);
  breaker.succeeded();
  fail_times(breaker, 4, t);
  CHECK(breaker.admit(t));
  CHECK_FALSE(breaker.is_open());
  breaker.failed(t);
  CHECK(breaker.is_open());
  CHECK_FALSE(breaker.admit(t));
  CHECK_FALSE(breaker.admit(t + 999ms));
}

TEST_CASE("one probe a time; each that fails doubles the wait, up to half a minute") {
  RedisBreaker breaker;
  SteadyTime t{};
  fail_times(breaker, 5, t);
  std::vector<std::chrono::milliseconds> waits;
  for (int i = 0; i < 7; ++i) {
    auto wait = 0ms;
    while (!breaker.admit(t + wait))
      wait += 500ms;
    CHECK_FALSE(breaker.admit(t + wait));  // the probe is out
    waits.push_back(wait);
    t += wait;
    breaker.failed(t);
  }
  CHECK(waits == std::vector<std::chrono::milliseconds>{1s, 2s, 4s, 8s, 16s, 30s, 30s});
}

TEST_CASE("a probe that succeeds closes it, and the next wait is short again") {
  RedisBreaker breaker;
  SteadyTime t{};
  fail_times(breaker, 5, t);
  t += 1s;
  REQUIRE(breaker.admit(t));
  breaker.failed(t);
  t += 2s;
  REQUIRE(breaker.admit(t));
  breaker.succeeded();
  CHECK(breaker.admit(t));
  fail_times(breaker, 5, t);
  CHECK_FALSE(breaker.admit(t + 999ms));
  CHECK(breaker.admit(t + 1s));
}

TEST_CASE("failures of calls sent before it opened do not lengthen the wait") {
  RedisBreaker breaker;
  const SteadyTime t{};
  fail_times(breaker, 5, t);
  for (int i = 0; i < 20; ++i)
    breaker.failed(t + 500ms);
  CHECK(breaker.admit(t + 1s));
}
