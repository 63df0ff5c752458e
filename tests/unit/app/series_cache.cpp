#include "gateway/app/series_cache.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace tollgate::app {

TEST_CASE("series_cache: one series a key, made once, whatever was asked for in between") {
  SeriesCache<int> cache;
  int made = 0;
  const std::vector<std::string> names{"", "a", "b", "ab", std::string(100, 'x')};
  std::vector<int*> first;
  for (int round = 0; round < 3; ++round) {
    std::size_t at = 0;
    for (std::uint64_t number : {0U, 1U, 256U}) {
      for (const std::string& name : names) {
        for (const std::string& other : names) {
          const std::string own = name;  // the cache keeps no view of the caller's
          int& series =
              cache.get({.number = number, .names = {own, other}}, [&made] { return made++; });
          if (round == 0) first.push_back(&series);
          REQUIRE(&series == first[at]);
          REQUIRE(series == static_cast<int>(at));
          ++at;
        }
      }
    }
  }
  CHECK(made == 75);
}

TEST_CASE("series_cache: names that are put together alike are not the same") {
  SeriesCache<int> cache;
  int made = 0;
  const auto get = [&](std::string_view a, std::string_view b) {
    return cache.get({.names = {a, b}}, [&made] { return made++; });
  };
  CHECK(get("ab", "c") != get("a", "bc"));
  CHECK(get("", "x") != get("x", ""));
  CHECK(made == 4);
}

}  // namespace tollgate::app
