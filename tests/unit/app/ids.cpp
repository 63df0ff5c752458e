#include "gateway/app/ids.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string_view>

namespace tollgate::app {

TEST_CASE("request ids are UUIDs of version 7, in the order of time, never twice") {
  IdSource source;
  IdSource other;
  std::set<std::string> seen;
  std::string before;
  for (int i = 0; i < 1000; ++i) {
    const SystemTime now{std::chrono::milliseconds(1'800'000'000'000 + i)};
    const std::string id = source.next(now);
    REQUIRE(id.size() == 36);
    for (const std::size_t dash : {8U, 13U, 18U, 23U})
      CHECK(id[dash] == '-');
    CHECK(id[14] == '7');
    CHECK(std::string_view("89ab").find(id[19]) != std::string_view::npos);
    CHECK(id > before);
    before = id;
    CHECK(seen.insert(id).second);
    CHECK(seen.insert(other.next(now)).second);
  }
}

}  // namespace tollgate::app
