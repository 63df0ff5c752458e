#include <doctest/doctest.h>

#include "tests/unit/prices/support.hpp"

using namespace tollgate;
using namespace tollgate::config;

namespace {

const PriceBook& book() { return shipped_price_book(); }

const PriceRow* find(std::string_view kind, std::string_view model, std::string_view tier = "",
                     std::string_view when = "2026-11-30") {
  return book().find("up", kind, model, tier, day(when));
}

}  // namespace

TEST_CASE("the shipped price book reads without a problem and the demo model is free") {
  Problems problems;
  const auto rows = read_prices(shipped_prices(), std::string(shipped_prices_name), problems);
  for (const Problem& problem : problems.take())
    FAIL_CHECK(problem.text());
  CHECK(rows.size() > 1000);
  CHECK(book().rows().size() == rows.size());
  const PriceRow* demo = find("demo", "demo,words=3");
  REQUIRE(demo != nullptr);
  CHECK(demo->rates.input == 0);
  CHECK(demo->rates.output == 0);
  CHECK(demo->max_output == 16384);
}

TEST_CASE("the shipped book prices what the providers' kinds are asked for") {
  for (const auto& [kind, model] : {std::pair{"openai", "gpt-4o"},
                                    {"openai", "gpt-4o-2024-08-06"},
                                    {"openai", "gpt-5-nano"},
                                    {"openai", "o3-mini-2025-01-31"},
                                    {"openai", "gpt-3.5-turbo-instruct"},
                                    {"anthropic", "claude-sonnet-4-5-20250929"},
                                    {"anthropic", "claude-sonnet-5"},
                                    {"gemini", "gemini-2.5-flash"},
                                    {"gemini", "gemini-3-pro-preview-11-2025"}}) {
    const PriceRow* row = find(kind, model);
    REQUIRE_MESSAGE(row != nullptr, model);
    CHECK_MESSAGE(*row->rates.output > *row->rates.input, model);
    CHECK_MESSAGE(row->context_window >= 4096, model);
    CHECK_MESSAGE(row->max_output >= 1024, model);
  }
  CHECK(find("openai", "text-embedding-3-small")->rates.input == 20'000'000);
  CHECK(find("openai", "gpt-4o")->rates.cache_read == 1'250'000'000);
  CHECK(find("openai", "no-such-model") == nullptr);
}

TEST_CASE("the shipped book knows tiers, dates, lengths and fees") {
  CHECK(find("openai", "gpt-5", "flex")->rates.output == 5'000'000'000);
  CHECK(find("openai", "gpt-5", "priority")->rates.output == 20'000'000'000);
  CHECK(find("anthropic", "claude-sonnet-5", "", "2026-08-31")->rates.input == 2'000'000'000);
  CHECK(find("anthropic", "claude-sonnet-5", "", "2026-09-01")->rates.input == 3'000'000'000);
  const PriceRow* sonnet = find("anthropic", "claude-sonnet-4-5");
  CHECK(sonnet->rates_for(200'000).output == 15'000'000'000);
  CHECK(sonnet->rates_for(200'001).output == 22'500'000'000);
  CHECK(sonnet->rates_for(200'001).cache_write_1h == 12'000'000'000);
  REQUIRE(!sonnet->tools.empty());
  CHECK(sonnet->tools[0] == std::pair<std::string, NanoUsd>{"web_search", 10'000'000});
  CHECK(find("openai", "gpt-4o-search-preview-2025-03-11")->request == 50'000'000);
  CHECK(find("gemini", "gemini-2.5-flash")->rates.audio_input == 1'000'000'000);
}

TEST_CASE("no price of a paid provider is zero for both input and output") {
  for (const PriceRow& row : book().rows()) {
    const bool free = row.rates.input.value_or(1) == 0 && row.rates.output.value_or(0) == 0;
    CHECK_MESSAGE((!free || row.provider == "demo"), row.version);
  }
}
