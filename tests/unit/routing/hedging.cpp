// When a second target is asked, and how often: over simulated calls, without a clock.
#include "routing/hedging.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <vector>

#include "routing/stir.hpp"

namespace tollgate::routing {
namespace {

using std::chrono::microseconds;

/// A reply of about 100 ms; three of a hundred take twenty times as long.
microseconds draw(std::uint64_t& state) {
  state = stir(state + stir_step);
  const auto usual = static_cast<std::int64_t>(80'000 + state % 40'000);
  const bool slow = (state >> 32U) % 100 < 3;
  return microseconds(slow ? usual * 20 : usual);
}

}  // namespace

TEST_CASE("with three of a hundred replies slow, hedges bring the 99th percentile down") {
  Hedging hedging(config::HedgeConfig{});
  std::uint64_t state = 1;
  std::vector<microseconds> seen;
  int calls = 0, second = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto after = hedging.enter(true);
    microseconds took = draw(state);
    if (after && took > *after && hedging.take()) {
      ++second;
      took = std::min(took, *after + draw(state));
    }
    hedging.observe(true, took);
    ++calls;
    CHECK_FALSE(second * 1000 > calls * 50);
    seen.push_back(took);
  }
  std::ranges::sort(seen);
  const auto at = [&](double share) {
    return seen[static_cast<std::size_t>(share * static_cast<double>(seen.size()))].count();
  };
  CHECK(static_cast<double>(at(0.99)) < 3.5 * static_cast<double>(at(0.5)));
  CHECK(second > calls / 40);
}

TEST_CASE("a percentile is told of twenty replies and more, apart for streams") {
  Hedging hedging(config::HedgeConfig{});
  for (int i = 1; i <= 100; ++i) {
    CHECK(hedging.enter(true).has_value() == (i > 20));
    hedging.observe(true, microseconds(1000 * i));
  }
  const auto p95 = hedging.enter(true);
  REQUIRE(p95);
  CHECK(p95->count() >= 95'000);
  CHECK(p95->count() <= 95'000 * 9 / 8);
  CHECK_FALSE(hedging.enter(false).has_value());
}

TEST_CASE("what was long ago is forgotten") {
  RecentTimes times;
  for (int i = 0; i < 1000; ++i)
    times.observe(std::chrono::seconds(9));
  for (int i = 0; i < 9000; ++i)
    times.observe(microseconds(5));
  CHECK(times.percentile(95) == microseconds(5));
}

TEST_CASE("a fixed time holds at once, within the share") {
  Hedging hedging(
      {.after = {.percentile = 0, .time = std::chrono::milliseconds(800)}, .max_share = {100}});
  int second = 0;
  for (int i = 0; i < 1000; ++i) {
    CHECK(hedging.enter(false) == std::chrono::milliseconds(800));
    second += hedging.take() ? 1 : 0;
  }
  CHECK(second == 100);
}

}  // namespace tollgate::routing
