#include "policies/money/tariff.hpp"

#include <doctest/doctest.h>

#include "tests/unit/prices/support.hpp"

using namespace tollgate;
using namespace tollgate::config;
using tollgate::policies::Tariff;
using tollgate::policies::Tariffs;

namespace {

Config with_books(const std::vector<std::string>& shared,
                  const std::vector<std::string>& acme = {}) {
  Prices prices{.shared = PriceBook(rows_of(shared)), .tenants = {}};
  if (!acme.empty()) prices.tenants.emplace("acme", PriceBook(rows_of(acme)));
  Config config;
  config.price_books = std::make_shared<const Prices>(std::move(prices));
  return config;
}

Tariff ask(const Config& config, std::string_view tenant = "acme", std::string_view provider = "up",
           std::string_view model = "m") {
  // A tariff points into the books and the tariffs: both are kept by the tests.
  static std::vector<std::unique_ptr<Tariffs>> kept;
  kept.push_back(std::make_unique<Tariffs>(config));
  return kept.back()->find({tenant, provider, "openai", model, day("2026-06-01")});
}

NanoUsd input_of(const PriceRow* row) {
  return row == nullptr ? -1 : *row->rates.input / nano_per_usd;
}

ProviderPrice price(NanoUsd input, NanoUsd output) {
  ProviderPrice out;
  out.input = Usd{input * nano_per_usd};
  out.output = Usd{output * nano_per_usd};
  return out;
}

const std::vector<std::string> book = {
    "{provider: openai, model: m, input: 1, output: 2, context_window: 1000, max_output: 100}",
    "{provider: openai, model: m, service_tier: flex, input: 0, output: 1}",
    "{provider: openai, model: dear, input: 70, output: 90}"};

}  // namespace

TEST_CASE("M12: tenant files, then the provider's price, then the price book") {
  Config config = with_books(book, {"{provider: openai, model: m, input: 5, output: 6}"});
  CHECK(input_of(ask(config).row("")) == 5);
  CHECK(input_of(ask(config, "globex").row("")) == 1);
  config.providers["up"].price = price(3, 4);
  CHECK(input_of(ask(config).row("")) == 5);
  CHECK(input_of(ask(config, "globex").row("")) == 3);
  CHECK(input_of(ask(config, "globex", "other").row("")) == 1);
}

TEST_CASE("M12: a tier that a reply names and that has no row is unknown") {
  const Config config = with_books(book);
  const Tariff tariff = ask(config);
  CHECK(tariff.known());
  CHECK(tariff.rows.size() == 2);
  CHECK(tariff.rows.front()->service_tier.empty());
  for (const char* tier : {"", "default", "standard", "auto", "on_demand"})
    CHECK(input_of(tariff.row(tier)) == 1);
  CHECK(input_of(tariff.row("flex")) == 0);
  CHECK(tariff.row("priority") == nullptr);
}

TEST_CASE("a tenant's agreement about the default tier leaves the others to the book") {
  const Config config = with_books(book, {"{provider: openai, model: \"*\", input: 5}"});
  const Tariff tariff = ask(config);
  CHECK(input_of(tariff.row("")) == 5);
  CHECK(input_of(tariff.row("flex")) == 0);
}

TEST_CASE("a provider's price holds for all its tiers; the book still says what the model takes") {
  Config config = with_books(book);
  config.providers["up"].price = price(3, 4);
  const Tariff tariff = ask(config);
  CHECK(input_of(tariff.row("flex")) == 3);
  CHECK(tariff.rows.size() == 1);
  CHECK(tariff.context_window() == 1000);
  CHECK(tariff.max_output() == 100);
  CHECK(!tariff.overhead());
  CHECK(tariff.row("")->version.starts_with("providers.up.price@"));
  // Two prices never share a version.
  Config dearer = config;
  dearer.providers["up"].price = price(3, 5);
  CHECK(ask(dearer).row("")->version != tariff.row("")->version);
  CHECK(ask(config, "acme", "up", "never-heard-of").known());
}

TEST_CASE("M8: an unknown model has no rows, or the provider's dearest one") {
  Config config = with_books(book);
  CHECK(ask(config, "acme", "up", "x").rows.empty());
  CHECK(!ask(config, "acme", "up", "x").known());
  config.prices.unknown = decltype(config.prices.unknown)::estimate;
  const Tariff tariff = ask(config, "acme", "up", "x");
  CHECK(tariff.estimated);
  CHECK(!tariff.known());
  CHECK(input_of(tariff.row("")) == 70);
  CHECK(input_of(tariff.row("priority")) == 70);
  CHECK(!ask(config).estimated);
}

TEST_CASE("without any book every price is unknown") {
  const Config config;
  CHECK(ask(config).rows.empty());
}
