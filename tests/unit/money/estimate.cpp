#include "policies/money/estimate.hpp"

#include <doctest/doctest.h>

using namespace tollgate;
using namespace tollgate::policies;

namespace {

constexpr NanoUsd usd = nano_per_usd;

void learn_often(TokenEstimates& estimates, std::uint64_t bytes, const Usage& usage,
                 std::uint64_t copies = 1) {
  for (int i = 0; i < 2'000; ++i)
    estimates.learn("m", bytes, usage, copies);
}

}  // namespace

TEST_CASE("M7: nothing learned: four bytes a token, and no more output than the limit") {
  const TokenEstimates estimates;
  CHECK(estimates.estimate("m", 4'096, 0).input == 1'024);
  CHECK(estimates.estimate("m", 4'096, 0).output == 256);
  CHECK(estimates.estimate("m", 4'096, 100).output == 100);
}

TEST_CASE("M7: an estimate nears what calls to the model took, by bytes and not by calls") {
  TokenEstimates estimates;
  learn_often(estimates, 10'000, {.input = 4'000, .cache_read = 1'000, .output = 700});
  const Estimate learned = estimates.estimate("m", 20'000, 0);
  CHECK(learned.input >= 9'900);
  CHECK(learned.input <= 10'100);
  CHECK(learned.output >= 690);
  CHECK(learned.output <= 710);
  CHECK(estimates.estimate("other", 4'096, 0).total() == 1'024 + 256);
}

TEST_CASE("M7: an estimate of the input is never above the bytes of the body") {
  TokenEstimates estimates;
  // A provider that finds much by itself.
  learn_often(estimates, 300, {.input = 22'000, .output = 10});
  CHECK(estimates.estimate("m", 50'000, 0).input == 50'000);
  CHECK(estimates.estimate("m", 0, 0).input == 0);
  CHECK(estimates.estimate("m", UINT64_MAX, 0).total() > 0);
}

TEST_CASE("M7: every choice of every prompt has its output") {
  TokenEstimates estimates;
  CHECK(estimates.estimate("m", 100, 50, 6).output == 300);
  CHECK(estimates.estimate("m", 100, 0, 3).output == 768);
  learn_often(estimates, 100, {.input = 25, .output = 4'000}, 10);
  CHECK(estimates.estimate("m", 100, 0, 1).output == 400);
  CHECK(estimates.estimate("m", 100, 0, 10).output == 4'000);
}

TEST_CASE("M7: an estimate costs its share of the bound, and never more than the bound") {
  Bound bound;
  bound.input_tokens = 1'000'000;
  bound.output_rate = bound.per_output_token = 10 * usd;
  bound.input = 2 * usd;
  bound.total = 7 * usd;
  CHECK(estimated_cost(bound, {.input = 500'000, .output = 100'000}) == 2 * usd);
  CHECK(estimated_cost(bound, {.input = 9'000'000, .output = 0}) == 2 * usd);
  CHECK(estimated_cost(bound, {.input = 500'000, .output = 900'000}) == 7 * usd);
  // What no limit bounds is output: it is no share of the input.
  bound.fixed_output = 5 * usd;
  bound.input = 7 * usd;
  CHECK(estimated_cost(bound, {.input = 500'000, .output = 100'000}) == 2 * usd);
}
