#include "gateway/core/money.hpp"

#include <doctest/doctest.h>
#include <limits>

using namespace tollgate;

TEST_CASE("dollars are written with as many digits behind the point as they need") {
  CHECK(usd_text(0) == "0");
  CHECK(usd_text(1) == "0.000000001");
  CHECK(usd_text(110'000) == "0.00011");
  CHECK(usd_text(999'999'999) == "0.999999999");
  CHECK(usd_text(1'000'000'000) == "1");
  CHECK(usd_text(-20'500'000'000) == "-20.5");
  CHECK(usd_text(std::numeric_limits<NanoUsd>::max()) == "9223372036.854775807");
  CHECK(usd_text(std::numeric_limits<NanoUsd>::min()) == "-9223372036.854775808");
}
