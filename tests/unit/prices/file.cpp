#include <doctest/doctest.h>

#include "tests/unit/prices/support.hpp"

using namespace tollgate;
using namespace tollgate::config;

namespace {

std::string report(const std::vector<std::string>& lines) {
  std::string out;
  rows_of(lines, &out);
  return out;
}

std::string report_of_text(std::string_view text) {
  Problems problems;
  static_cast<void>(read_prices(text, "p.yaml", problems));
  std::string out;
  for (const Problem& problem : problems.take())
    out += problem.text() + "\n";
  return out;
}

}  // namespace

TEST_CASE("prices are exact: dollars a million tokens to nano-dollars") {
  const std::vector<std::pair<std::string, NanoUsd>> good = {{"0", 0},
                                                             {"3", 3'000'000'000},
                                                             {"0.15", 150'000'000},
                                                             {"0.075", 75'000'000},
                                                             {"0.0028", 2'800'000},
                                                             {"0.000000001", 1},
                                                             {"22.5", 22'500'000'000},
                                                             {"1000000", 1'000'000'000'000'000}};
  for (const auto& [text, nano] : good) {
    REQUIRE_MESSAGE(parse_price(text), text);
    CHECK(*parse_price(text) == nano);
  }
  for (const char* text : {"", ".5", "5.", "-1", "+1", "1e-3", "01", "0.0000000001", "1000001",
                           "1000000.1", "1,5", "0x1", "1.2.3", "99999999999999999999"}) {
    CHECK_MESSAGE(!parse_price(text), text);
  }
}

TEST_CASE("a row with all its keys") {
  std::string problems;
  const auto rows = rows_of(
      {R"({provider: acme, model: "m-*", from: 2025-09-29, service_tier: flex, input: 3,)"
       R"( output: 15, cache_read: 0.3, cache_write: 3.75, cache_write_1h: 6, reasoning: 20,)"
       R"( audio_input: 40, audio_output: 80, image: 0.04, request: 0.005, )"
       R"( tools: {web_search: 0.01, web_fetch: 0},)"
       R"( tiers: [{above: 400000, output: 30}, {above: 200000, input: 6, output: 22.5}],)"
       R"( context_window: 200000, max_output: 64000, overhead: 0, output_tps: 90})"},
      &problems);
  CHECK(problems.empty());
  REQUIRE(rows.size() == 1);
  const PriceRow& row = rows[0];
  CHECK(row.provider == "acme");
  CHECK(row.model == "m-*");
  CHECK(SystemTime(row.from) == day("2025-09-29"));
  CHECK(row.service_tier == "flex");
  CHECK(row.rates.cache_write == 3'750'000'000);
  CHECK(row.rates.cache_write_1h == 6'000'000'000);
  CHECK(row.rates.audio_output == 80'000'000'000);
  CHECK(row.image == 40'000'000);
  CHECK(row.request == 5'000'000);
  CHECK(row.tools.size() == 2);
  CHECK(row.tools[0] == std::pair<std::string, NanoUsd>{"web_search", 10'000'000});
  CHECK(row.overhead == 0);
  CHECK(row.output_tps == 90);
  REQUIRE(row.tiers.size() == 2);
  CHECK(row.tiers[0].above == 200000);
  // Tiers lie over one another: what a longer one does not name is the shorter one's.
  CHECK(row.rates_for(200000).output == 15'000'000'000);
  CHECK(row.rates_for(200001).output == 22'500'000'000);
  CHECK(row.rates_for(400001).output == 30'000'000'000);
  CHECK(row.rates_for(400001).input == 6'000'000'000);
  CHECK(row.rates_for(400001).cache_read == 300'000'000);
}

TEST_CASE("a row's version names the file, its content and the row") {
  const auto rows =
      rows_of({"{provider: a, model: m, input: 1}",
               "{provider: a, model: m, from: 2026-01-02, service_tier: flex, input: 1}"});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].version.starts_with("p.yaml@"));
  CHECK(rows[0].version.ends_with(":a/m"));
  CHECK(rows[0].version.size() == std::string("p.yaml@123456:a/m").size());
  CHECK(rows[1].version.ends_with(":a/m#flex@2026-01-02"));
  const auto other = rows_of({"{provider: a, model: m, input: 2}"});
  CHECK(other[0].version != rows[0].version);
}

TEST_CASE("everything wrong is reported at its place, the rest is still read") {
  std::string problems;
  const auto rows = rows_of(
      {"{provider: a, model: m, inptu: 1, input: 1}", "{provider: a, model: fine, input: 1}",
       "{provider: a, model: n, input: 0.0000000001}",
       "{provider: a, model: o, input: -1, output: \"1\"}", "{provider: a, input: 1}"},
      &problems);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].model == "fine");
  CHECK(problems.find("dir/p.yaml:2:29: unknown key \"inptu\" (did you mean \"input\"?)\n") !=
        std::string::npos);
  CHECK(problems.find("dir/p.yaml:4:36: \"input\" must be US dollars") != std::string::npos);
  CHECK(problems.find("dir/p.yaml:5:36: \"input\" must be US dollars") != std::string::npos);
  CHECK(problems.find("dir/p.yaml:5:48: \"output\" must be US dollars") != std::string::npos);
  CHECK(problems.find("dir/p.yaml:6:5: \"model\" is required\n") != std::string::npos);
}

TEST_CASE("rows that make no sense") {
  CHECK(report({"{provider: a, model: m, context_window: 1}"}).find("has no price") !=
        std::string::npos);
  CHECK(report({"{provider: a, model: \"m*n\", input: 1}"}).find("at the end of a model") !=
        std::string::npos);
  CHECK(report({"{provider: a, model: m, input: 1, input: 2}"}).find("p.yaml:2:") !=
        std::string::npos);
  CHECK(report({"{provider: a, model: m, input: 1}", "{provider: a, model: m, input: 2}"}) ==
        "dir/p.yaml:3:5: the same row stands at line 2\n");
  // The default tier has one name.
  CHECK(report({"{provider: a, model: m, input: 1}",
                "{provider: a, model: m, service_tier: default, input: 2}"}) ==
        "dir/p.yaml:3:5: the same row stands at line 2\n");
  CHECK(report({"{provider: a, model: m, service_tier: flex, input: 1}",
                "{provider: a, model: m, from: 2026-01-01, input: 1}"}) == "");
  CHECK(report({"{provider: a, model: m, input: 1, tiers: [{above: 5, input: 1}, {above: 5, input: "
                "2}]}"})
            .find("above the same length") != std::string::npos);
  CHECK(report({"{provider: a, model: m, input: 1, tiers: [{input: 1}]}"})
            .find("\"above\" is required") != std::string::npos);
  CHECK(report({"{provider: a, model: m, input: 1, context_window: 1.5}"})
            .find("\"context_window\" must be a whole number") != std::string::npos);
  CHECK(report({"{provider: a, model: m, input: 1, from: soon}"}).find("\"from\" must be a date") !=
        std::string::npos);
  CHECK(report({"{provider: a, model: m, input: 1, tools: {web_search: yes}}"})
            .find("\"web_search\" must be US dollars") != std::string::npos);
  CHECK(report({"[a, b]"}) == "dir/p.yaml:2:5: it must be a mapping, got a list\n");
}

TEST_CASE("a file that is no price book") {
  CHECK(report_of_text("price:\n  - {}\n").find("did you mean \"prices\"?") != std::string::npos);
  CHECK(report_of_text("").find("a list of rows under \"prices\"") != std::string::npos);
  CHECK(report_of_text("prices: 3\n").find("a list of rows under \"prices\"") != std::string::npos);
  CHECK(report_of_text("prices: [").find("p.yaml:1") != std::string::npos);
  CHECK(report_of_text("prices: []\n") == "");
}
