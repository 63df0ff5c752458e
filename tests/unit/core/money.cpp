#include "gateway/core/money.hpp"

#include <doctest/doctest.h>

using namespace tollgate;

TEST_CASE("an amount is written with the digits that it needs") {
  CHECK(usd_text(0) == "0");
  CHECK(usd_text(1) == "0.000000001");
  CHECK(usd_text(10) == "0.00000001");
  CHECK(usd_text(999'999'999) == "0.999999999");
  CHECK(usd_text(100'000'000) == "0.1");
  CHECK(usd_text(1'000'000'000) == "1");
  CHECK(usd_text(12'034'500'000) == "12.0345");
  CHECK(usd_text(-1) == "-0.000000001");
  CHECK(usd_text(-2'500'000'000) == "-2.5");
  CHECK(usd_text(INT64_MAX) == "9223372036.854775807");
  CHECK(usd_text(INT64_MIN) == "-9223372036.854775808");
}
