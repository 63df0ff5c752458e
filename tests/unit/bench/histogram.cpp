#include "bench/histogram.hpp"

#include <cstdint>
#include <doctest/doctest.h>
#include <limits>
#include <random>
#include <vector>

using tollgate::bench::Histogram;

namespace {

constexpr std::uint64_t greatest = std::numeric_limits<std::uint64_t>::max();

/// What a sorted list says, by the same definition.
std::uint64_t exact(const std::vector<std::uint64_t>& sorted, double quantile) {
  const auto rank = static_cast<std::size_t>(std::ceil(quantile * double(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

TEST_CASE("buckets follow each other without a gap and hold what belongs to them") {
  CHECK(Histogram::index_of(0) == 0);
  CHECK(Histogram::index_of(greatest) == Histogram::buckets - 1);
  CHECK(Histogram::highest_of(Histogram::buckets - 1) == greatest);
  for (std::size_t i = 0; i + 1 < Histogram::buckets; ++i) {
    const std::uint64_t highest = Histogram::highest_of(i);
    REQUIRE(Histogram::index_of(highest) == i);
    REQUIRE(Histogram::index_of(highest + 1) == i + 1);
  }
}

TEST_CASE("small values are exact and large ones less than 0.8 percent too high") {
  for (std::uint64_t value = 0; value < 256; ++value)
    CHECK(Histogram::highest_of(Histogram::index_of(value)) == value);
  for (std::uint64_t value = 256; value < greatest / 3; value = value * 3 / 2 + 7) {
    const std::uint64_t told = Histogram::highest_of(Histogram::index_of(value));
    CHECK(told >= value);
    CHECK(double(told - value) < double(value) / 128);
  }
}

TEST_CASE("an empty histogram says nothing") {
  const Histogram none;
  CHECK(none.count() == 0);
  CHECK(none.at(0.5) == 0);
  CHECK(none.min() == 0);
  CHECK(none.max() == 0);
  CHECK(none.mean() == 0);
}

TEST_CASE("one value is every quantile of itself, exactly") {
  Histogram one;
  one.record(1'234'567);
  for (const double quantile : {0.0, 0.5, 0.999, 1.0})
    CHECK(one.at(quantile) == 1'234'567);
  CHECK(one.mean() == 1'234'567);
}

TEST_CASE("quantiles of many values are those of the sorted list within a bucket") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> shape(11, 2);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i)
    values.push_back(static_cast<std::uint64_t>(shape(random)));
  for (const std::uint64_t value : values)
    histogram.record(value);
  std::ranges::sort(values);
  for (const double quantile : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const std::uint64_t right = exact(values, quantile);
    const std::uint64_t told = histogram.at(quantile);
    CAPTURE(quantile);
    CHECK(told >= right);
    CHECK(Histogram::index_of(told) == Histogram::index_of(right));
  }
  CHECK(histogram.at(1) == values.back());
  CHECK(histogram.min() == values.front());
}

TEST_CASE("a quantile between two values is the lower one's") {
  Histogram two;
  two.record(10);
  two.record(200);
  CHECK(two.at(0.5) == 10);
  CHECK(two.at(0.51) == 200);
}

TEST_CASE("merged histograms are as if one had recorded all") {
  Histogram left, right, all;
  for (std::uint64_t value = 1; value < 100'000; value = value * 5 / 4 + 1) {
    (value % 2 ? left : right).record(value);
    all.record(value);
  }
  left.merge(right);
  CHECK(left.count() == all.count());
  CHECK(left.min() == all.min());
  CHECK(left.max() == all.max());
  CHECK(left.mean() == doctest::Approx(all.mean()));
  for (const double quantile : {0.01, 0.5, 0.99})
    CHECK(left.at(quantile) == all.at(quantile));
}
