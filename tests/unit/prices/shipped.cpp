#include <doctest/doctest.h>

#include "tests/unit/prices/support.hpp"

using namespace tollgate;
using namespace tollgate::config;

TEST_CASE("the shipped price book reads without a problem and the demo model is free") {
  Problems problems;
  const PriceBook book(read_prices(shipped_prices(), std::string(shipped_prices_name), problems));
  std::string report;
  for (const Problem& problem : problems.take())
    report += problem.text() + "\n";
  CHECK(report == "");
  const PriceRow* demo = book.find("demo", "demo", "demo,words=3", "", day("2026-11-30"));
  REQUIRE(demo != nullptr);
  CHECK(demo->rates.input == 0);
  CHECK(demo->rates.output == 0);
  CHECK(demo->max_output == 16384);
}
