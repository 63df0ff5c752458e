#include "policies/store/bucket.hpp"

#include <doctest/doctest.h>

namespace tollgate::policies {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BucketRule sixty{.per_minute = 60};  // one a second

TEST_CASE("a bucket drains exactly, whether it is looked at once or at every microsecond") {
  constexpr BucketRule odd{.per_minute = 7};
  Bucket once, often;
  once.take(5);
  often.take(5);
  for (Micros now = 1; now <= 200'000; ++now)
    often.drain(odd, now);
  once.drain(odd, 200'000);
  CHECK(once.wait(odd, 7) == often.wait(odd, 7));
  // 5 of 7 are used, less 7 units for each of 200,000 microseconds.
  CHECK(once.reset(odd) == microseconds((5 * Bucket::unit - 1'400'000 + 6) / 7));
}

TEST_CASE("the time that a bucket names is the first at which the amount fits") {
  for (const std::uint64_t rate : {1U, 7U, 60U, 999U}) {
    const BucketRule rule{.per_minute = rate};
    Bucket bucket;
    bucket.take(rate);
    REQUIRE_FALSE(bucket.fits(rule, 1));
    const auto wait = bucket.wait(rule, 1);
    bucket.drain(rule, wait.count() - 1);
    CHECK_FALSE(bucket.fits(rule, 1));
    bucket.drain(rule, wait.count());
    CHECK(bucket.fits(rule, 1));
    CHECK(bucket.wait(rule, 1).count() == 0);
  }
}

TEST_CASE("M15: debt is paid back before anything fits") {
  Bucket bucket;
  REQUIRE(bucket.fits(sixty, 180));
  bucket.take(180);
  CHECK(bucket.remaining(sixty) == 0);
  CHECK(bucket.used() == 180);
  CHECK(bucket.wait(sixty, 1) == seconds(121));
  CHECK(bucket.reset(sixty) == seconds(180));
  CHECK(bucket.wait(sixty, 61) == seconds(180));  // larger than the bucket: until it is full
}

TEST_CASE("a burst shorter than one request still lets one pass a full bucket") {
  constexpr BucketRule rare{.per_minute = 1, .burst = seconds(10)};
  Bucket bucket;
  REQUIRE(bucket.fits(rare, 1));
  bucket.take(1);
  CHECK(bucket.wait(rare, 1) == seconds(60));
}

TEST_CASE("what is given back never makes more than a full bucket") {
  Bucket bucket;
  bucket.take(10);
  bucket.give(4);
  CHECK(bucket.used() == 6);
  bucket.give(1000);
  CHECK(bucket.full());
  CHECK(bucket.remaining(sixty) == 60);
}

TEST_CASE("a clock set back gives nothing and goes on from there") {
  Bucket bucket;
  bucket.drain(sixty, 3'600'000'000);
  bucket.take(60);
  bucket.drain(sixty, 0);
  CHECK(bucket.used() == 60);
  bucket.drain(sixty, 1'000'000);
  CHECK(bucket.used() == 59);
}

TEST_CASE("amounts and limits without measure do not wrap around") {
  constexpr BucketRule most{.per_minute = UINT64_MAX};
  Bucket bucket;
  for (int i = 0; i < 8; ++i)
    bucket.take(UINT64_MAX);
  CHECK_FALSE(bucket.fits(sixty, 1));
  CHECK(bucket.remaining(sixty) == 0);
  CHECK(bucket.wait(sixty, 1).count() > 0);
  bucket.drain(most, 60'000'000);
  CHECK(bucket.full());
  CHECK(bucket.fits(most, UINT64_MAX));
}

TEST_CASE("the longest burst of a vast limit holds more than the limit") {
  constexpr BucketRule vast{.per_minute = 5'125'000'000, .burst = std::chrono::hours(1)};
  Bucket bucket;
  CHECK(bucket.remaining(vast) > vast.per_minute);
  bucket.take(vast.per_minute);
  CHECK(bucket.fits(vast, vast.per_minute));
}

TEST_CASE("a reload applies to what is used already") {
  constexpr BucketRule twice{.per_minute = 120};
  Bucket bucket;
  bucket.take(60);
  CHECK(bucket.remaining(sixty) == 0);
  CHECK(bucket.remaining(twice) == 60);
  CHECK(bucket.reset(twice) == milliseconds(30'000));
}

}  // namespace
}  // namespace tollgate::policies
