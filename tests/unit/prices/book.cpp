#include <doctest/doctest.h>

#include "config/price_book.hpp"
#include "tests/unit/prices/support.hpp"

using namespace tollgate;
using namespace tollgate::config;

namespace {

/// The `input` of the row found, in dollars; -1: none.
NanoUsd found(const PriceBook& book, std::string_view model, std::string_view provider = "up",
              std::string_view kind = "openai", std::string_view tier = "",
              std::string_view when = "2026-06-01") {
  const PriceRow* row = book.find(provider, kind, model, tier, day(when));
  return row == nullptr ? -1 : *row->rates.input / nano_per_usd;
}

}  // namespace

TEST_CASE("an exact model beats the longest prefix beats a shorter one") {
  const PriceBook book(rows_of({
      "{provider: openai, model: \"*\", input: 1}",
      "{provider: openai, model: \"gpt-4*\", input: 2}",
      "{provider: openai, model: \"gpt-4o*\", input: 3}",
      "{provider: openai, model: \"gpt-4o-mini*\", input: 4}",
      "{provider: openai, model: gpt-4o, input: 5}",
      "{provider: openai, model: \"gpt-4p*\", input: 6}",
  }));
  CHECK(found(book, "gpt-4o") == 5);
  CHECK(found(book, "gpt-4o-2024-08-06") == 3);
  CHECK(found(book, "gpt-4o-mini-2024-07-18") == 4);
  CHECK(found(book, "gpt-4o-minj") == 3);
  CHECK(found(book, "gpt-4") == 2);
  CHECK(found(book, "gpt-4p") == 6);
  CHECK(found(book, "gpt-4q") == 2);
  CHECK(found(book, "gpt-5") == 1);
  CHECK(found(book, "zzz") == 1);
  CHECK(found(book, "") == 1);
  CHECK(found(book, "gpt-4o", "up", "anthropic") == -1);
}

TEST_CASE("without a wildcard an unknown model has no price") {
  const PriceBook book(rows_of({"{provider: openai, model: \"gpt-4*\", input: 2}"}));
  CHECK(found(book, "gpt-3") == -1);
  CHECK(found(book, "gpt-5") == -1);
  CHECK(found(book, "gpt-") == -1);
  CHECK(found(PriceBook(), "gpt-4") == -1);
}

TEST_CASE("a provider's name is tried before its kind") {
  const PriceBook book(rows_of({
      "{provider: openai, model: m, input: 1}",
      "{provider: groq, model: \"*\", input: 2}",
      "{provider: openai, model: n, input: 3}",
  }));
  CHECK(found(book, "m", "groq") == 2);
  CHECK(found(book, "m", "other") == 1);
  CHECK(found(book, "m", "openai") == 1);
  CHECK(found(book, "n", "groq") == 2);
}

TEST_CASE("M12: the latest `from` that has begun holds") {
  const PriceBook book(rows_of({
      "{provider: openai, model: m, from: 2026-01-01, input: 2}",
      "{provider: openai, model: m, input: 1}",
      "{provider: openai, model: m, from: 2026-07-01, input: 3}",
      "{provider: openai, model: \"n*\", input: 8}",
      "{provider: openai, model: n1, from: 2026-07-01, input: 9}",
  }));
  const auto at = [&](std::string_view when, std::string_view model = "m") {
    return found(book, model, "up", "openai", "", when);
  };
  CHECK(at("2025-12-31T23:59:59Z") == 1);
  CHECK(at("2026-01-01") == 2);
  CHECK(at("2026-06-30T23:59:59Z") == 2);
  CHECK(at("2026-07-01") == 3);
  // A price that has not begun leaves the less exact one in force.
  CHECK(at("2026-06-30", "n1") == 8);
  CHECK(at("2026-07-01", "n1") == 9);
}

TEST_CASE("of files read in order the later one wins") {
  auto rows =
      rows_of({"{provider: openai, model: m, input: 1}", "{provider: openai, model: n, input: 1}"});
  for (PriceRow& row : rows_of({"{provider: openai, model: m, input: 2}"}))
    rows.push_back(std::move(row));
  const PriceBook book(std::move(rows));
  CHECK(found(book, "m") == 2);
  CHECK(found(book, "n") == 1);
}

TEST_CASE("service tiers are rows of their own") {
  const PriceBook book(rows_of({
      "{provider: openai, model: m, service_tier: priority, input: 4}",
      "{provider: openai, model: m, input: 2}",
      "{provider: openai, model: m, service_tier: flex, from: 2026-01-01, input: 1}",
      "{provider: openai, model: m, service_tier: flex, from: 2027-01-01, input: 0}",
      "{provider: openai, model: \"*\", service_tier: batch, input: 7}",
      "{provider: up, model: \"*\", service_tier: priority, input: 5}",
  }));
  CHECK(found(book, "m", "x") == 2);
  CHECK(found(book, "m", "x", "openai", "flex") == 1);
  CHECK(found(book, "m", "x", "openai", "priority") == 4);
  CHECK(found(book, "m", "up", "openai", "priority") == 5);
  CHECK(found(book, "m", "x", "openai", "batch") == 7);
  CHECK(found(book, "m", "x", "openai", "scale") == -1);

  const auto all = book.all_tiers("x", "openai", "m", day("2026-06-01"));
  std::string tiers;
  for (const PriceRow* row : all)
    tiers += row->service_tier + "=" + std::to_string(*row->rates.input / nano_per_usd) + " ";
  CHECK(tiers == "=2 batch=7 flex=1 priority=4 ");
  CHECK(book.all_tiers("x", "openai", "m", day("2025-06-01")).size() == 3);
  CHECK(book.all_tiers("x", "anthropic", "m", day("2026-06-01")).empty());
}

TEST_CASE("a service tier's row need not say again what the model takes") {
  const PriceBook book(rows_of({
      "{provider: openai, model: m, service_tier: flex, input: 1, max_output: 7}",
      "{provider: openai, model: m, input: 2, context_window: 1000, max_output: 100, overhead: 5}",
      "{provider: openai, model: \"n*\", service_tier: flex, input: 1}",
  }));
  const PriceRow* flex = book.find("x", "openai", "m", "flex", day("2026-06-01"));
  REQUIRE(flex != nullptr);
  CHECK(flex->context_window == 1000);
  CHECK(flex->max_output == 7);
  CHECK(flex->overhead == 5);
  CHECK(!flex->output_tps);
  CHECK(!book.find("x", "openai", "n1", "flex", day("2026-06-01"))->context_window);
}

TEST_CASE("M8: the dearest row in force stands in for an unknown price") {
  const PriceBook book(rows_of({
      "{provider: openai, model: small, input: 1, output: 2}",
      "{provider: openai, model: big, from: 2020-01-01, input: 9, output: 90}",
      "{provider: openai, model: big, from: 2026-01-01, input: 3, output: 30}",
      "{provider: openai, model: bigger, from: 2030-01-01, input: 9, output: 99}",
      "{provider: openai, model: long, input: 7, output: 8, tiers: [{above: 9, output: 40}]}",
      "{provider: mine, model: \"*\", input: 5, output: 6}",
  }));
  const auto dearest = [&](std::string_view provider, std::string_view kind,
                           std::string_view when) {
    const PriceRow* row = book.dearest(provider, kind, day(when));
    return row == nullptr ? std::string() : row->model;
  };
  CHECK(dearest("x", "openai", "2021-01-01") == "big");
  CHECK(dearest("x", "openai", "2026-06-01") == "long");
  CHECK(dearest("x", "openai", "2031-01-01") == "bigger");
  CHECK(dearest("mine", "openai", "2026-06-01") == "*");
  CHECK(dearest("x", "anthropic", "2026-06-01") == "");
}

TEST_CASE("a copy of a book stands on its own") {
  auto original = std::make_unique<PriceBook>(rows_of({
      "{provider: openai, model: a-model-with-a-long-name, input: 1}",
      "{provider: openai, model: \"a-model-with-another-name*\", input: 2}",
  }));
  const PriceBook copy = *original;
  original.reset();
  CHECK(found(copy, "a-model-with-a-long-name") == 1);
  CHECK(found(copy, "a-model-with-another-name-2") == 2);
}
