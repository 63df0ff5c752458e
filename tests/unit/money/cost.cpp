#include "policies/money/cost.hpp"

#include <doctest/doctest.h>

using namespace tollgate;
using tollgate::config::LengthTier;
using tollgate::config::PriceRow;
using tollgate::config::Rates;
using tollgate::policies::Cost;
using tollgate::policies::cost_of;

namespace {

constexpr NanoUsd usd = nano_per_usd;

// It travels with every event of a stream.
static_assert(std::is_trivially_copyable_v<Usage> && sizeof(Usage) <= 128);

PriceRow row(Rates rates) {
  PriceRow out;
  out.rates = rates;
  return out;
}

/// The cost, whose kinds must add up to its total.
std::optional<Cost> checked(const Usage& usage, const PriceRow& price) {
  auto cost = cost_of(usage, price);
  if (cost) CHECK(cost->by_kind.total() == cost->total);
  return cost;
}

NanoUsd total(const Usage& usage, const PriceRow& price) {
  const auto cost = checked(usage, price);
  return cost ? cost->total : -1;
}

}  // namespace

TEST_CASE("M12: each kind by its price") {
  const PriceRow price = row({.input = 3 * usd,
                              .cache_read = 3 * usd / 10,
                              .cache_write = 375 * usd / 100,
                              .cache_write_1h = 6 * usd,
                              .output = 15 * usd});
  const auto cost = checked({.input = 1000,
                             .cache_read = 2000,
                             .cache_write = 500,
                             .cache_write_1h = 200,
                             .output = 100,
                             .reasoning = 40},
                            price);
  REQUIRE(cost);
  CHECK(cost->by_kind == CostByKind{.input = 3'000'000,
                                    .cache_read = 600'000,
                                    .cache_write = 1'125'000,
                                    .cache_write_1h = 1'200'000,
                                    .output = 1'500'000});
  CHECK(cost->total == 7'425'000);
}

TEST_CASE("M12: missing cache prices cost input, missing reasoning costs output") {
  const PriceRow plain = row({.input = 2 * usd, .output = 8 * usd});
  CHECK(total({.cache_read = 10}, plain) == 20'000);
  CHECK(total({.cache_write = 10, .cache_write_1h = 4}, plain) == 20'000);
  CHECK(total({.output = 10, .reasoning = 10}, plain) == 80'000);
  const PriceRow writes = row({.input = 2 * usd, .cache_write = 3 * usd});
  CHECK(total({.cache_write = 10, .cache_write_1h = 4}, writes) == 30'000);
  const PriceRow apart = row({.output = 8 * usd, .reasoning = 20 * usd});
  const auto cost = checked({.output = 10, .reasoning = 4}, apart);
  REQUIRE(cost);
  CHECK(cost->by_kind == CostByKind{.output = 48'000, .reasoning = 80'000});
}

TEST_CASE("M12: any other kind without a price is unknown, but only when it was used") {
  const PriceRow input_only = row({.input = usd});
  CHECK(total({.input = 5}, input_only) == 5'000);
  CHECK(!cost_of({.input = 5, .output = 1}, input_only));
  CHECK(!cost_of({.input = 5, .audio_input = 1}, input_only));
  CHECK(!cost_of({.web_searches = 1}, input_only));
  CHECK(!cost_of({.images = 1}, input_only));
  CHECK(!cost_of({.input = 1}, row({.output = usd})));
  CHECK(total({}, row({})) == 0);
}

TEST_CASE("M12: the sum is rounded up once, not each kind") {
  // 2.8 nano-dollars a token: 0.0028 dollars a million.
  const PriceRow cheap = row({.input = 2'800'000, .cache_read = 100'000, .output = 5'600'000});
  CHECK(total({.input = 1}, cheap) == 3);
  CHECK(total({.input = 5}, cheap) == 14);
  CHECK(total({.cache_read = 1}, cheap) == 1);
  // 2.8 + 0.1 + 5.6 = 8.5
  const auto cost = checked({.input = 1, .cache_read = 1, .output = 1}, cheap);
  REQUIRE(cost);
  CHECK(cost->total == 9);
  // The nano-dollar left over goes to the largest fraction.
  CHECK(cost->by_kind == CostByKind{.input = 3, .output = 6});
}

TEST_CASE("a length tier is chosen by the whole prompt, cached tokens included") {
  PriceRow price = row({.input = 3 * usd, .cache_read = usd, .output = 15 * usd});
  price.tiers = {LengthTier{200'000, {.input = 6 * usd, .output = 22 * usd}}};
  CHECK(total({.input = 100'000, .cache_read = 100'000, .output = 1}, price) ==
        300'000'000 + 100'000'000 + 15'000);
  // What the tier does not name keeps the row's price.
  CHECK(total({.input = 100'000, .cache_read = 99'000, .cache_write = 1'001, .output = 1}, price) ==
        600'000'000 + 99'000'000 + 6'006'000 + 22'000);
}

TEST_CASE("audio is a share of input and output, paid once") {
  const PriceRow price = row({.input = 2 * usd,
                              .cache_read = usd,
                              .output = 8 * usd,
                              .audio_input = 40 * usd,
                              .audio_output = 80 * usd});
  const auto cost = checked(
      {.input = 10, .cache_read = 5, .output = 20, .audio_input = 4, .audio_output = 15}, price);
  REQUIRE(cost);
  CHECK(cost->by_kind == CostByKind{.input = 12'000,
                                    .cache_read = 5'000,
                                    .output = 40'000,
                                    .audio_input = 160'000,
                                    .audio_output = 1'200'000});
  // Audio from the cache costs what the cache costs.
  CHECK(total({.input = 2, .cache_read = 5, .audio_input = 7}, price) == 80'000 + 5'000);
}

TEST_CASE("fees: requests, tool uses, pictures") {
  PriceRow price = row({.input = usd, .output = usd});
  price.request = 5'000'000;
  price.image = 39'000'000;
  price.tools = {{"web_search", 10'000'000}, {"web_fetch", 0}};
  const auto cost = checked({.input = 1,
                             .output = 1'300,
                             .image_output = 1'290,
                             .images = 1,
                             .web_searches = 3,
                             .web_fetches = 2},
                            price);
  REQUIRE(cost);
  CHECK(cost->by_kind == CostByKind{.input = 1'000,
                                    .output = 10'000,
                                    .images = 39'000'000,
                                    .requests = 5'000'000,
                                    .tools = 30'000'000});
}

TEST_CASE("figures that no ledger holds saturate instead of wrapping around") {
  const PriceRow price = row({.input = 1'000'000 * usd, .output = 1'000'000 * usd});
  const auto cost = checked({.input = UINT64_MAX, .output = UINT64_MAX}, price);
  REQUIRE(cost);
  CHECK(cost->total == nano_max);
}
