#include "policies/money/bound.hpp"

#include <doctest/doctest.h>

#include "tests/unit/prices/support.hpp"

using namespace tollgate;
using namespace tollgate::policies;

namespace {

constexpr NanoUsd usd = nano_per_usd;
constexpr std::uint64_t million = 1'000'000;

class Prices {
 public:
  explicit Prices(const std::vector<std::string>& lines) : rows_(config::rows_of(lines)) {
    REQUIRE(rows_.size() == lines.size());
    for (const config::PriceRow& row : rows_)
      tariff_.rows.push_back(&row);
  }
  [[nodiscard]] Bound bound(const RequestFacts& facts, std::uint64_t bytes = million,
                            BoundTarget target = {.kind = "openai", .model = "m"}) const {
    return bound_of(facts, bytes, target, tariff_);
  }

 private:
  std::vector<config::PriceRow> rows_;
  Tariff tariff_;
};

/// Overhead 0, so that a million bytes are a million tokens.
Prices plain() {
  return Prices({"{provider: p, model: m, input: 1, output: 10, overhead: 0, max_output: 1000}"});
}

RequestFacts limited(std::uint64_t limit) {
  RequestFacts facts;
  facts.limit = limit;
  return facts;
}

std::uint64_t tokens(const RequestFacts& facts, std::uint64_t bytes, BoundTarget target,
                     const std::string& more = "") {
  const Prices prices({"{provider: p, model: m, input: 1, output: 1, max_output: 1" + more + "}"});
  return prices.bound(facts, bytes, target).input_tokens;
}

constexpr BoundTarget openai{.kind = "openai", .model = "m"};

}  // namespace

TEST_CASE("M2: a bound is its input and its output at their prices, rounded up") {
  const Bound bound = plain().bound(limited(200'000));
  CHECK(bound.priced);
  CHECK(bound.input == usd);
  CHECK(bound.total == 3 * usd);
  const Prices fine({"{provider: p, model: m, input: 0.0001, output: 0, overhead: 0}"});
  CHECK(fine.bound(limited(1), 1).total == 1);
}

TEST_CASE("M2: each kind is bounded by its dearest price") {
  const Prices cached(
      {"{provider: p, model: m, input: 1, cache_read: 0.1, cache_write: 1.25, "
       "cache_write_1h: 2, audio_input: 8, output: 1, reasoning: 3, "
       "audio_output: 20, overhead: 0, max_output: 1000000}"});
  CHECK(cached.bound({}).input == usd + usd / 4);
  CHECK(cached.bound({}).total - cached.bound({}).input == 3 * usd);
  RequestFacts facts;
  facts.cache_write_1h = true;
  CHECK(cached.bound(facts).input == 2 * usd);
  facts.audio_input = facts.audio_output = true;
  CHECK(cached.bound(facts).total == 28 * usd);
}

TEST_CASE("M2: every service tier that could be charged counts, batches do not") {
  const Prices tiers({"{provider: p, model: m, input: 2, output: 0, overhead: 0}",
                      "{provider: p, model: m, service_tier: flex, input: 1, output: 0}",
                      "{provider: p, model: m, service_tier: priority, input: 4, output: 0}",
                      "{provider: p, model: m, service_tier: batch, input: 9, output: 0}"});
  const auto input = [&](const char* tier) {
    RequestFacts facts;
    facts.service_tier = tier;
    return tiers.bound(facts).input / usd;
  };
  CHECK(input("") == 4);
  CHECK(input("auto") == 4);
  CHECK(input("priority") == 4);
  CHECK(input("flex") == 2);  // may fall back
  CHECK(input("default") == 2);
}

TEST_CASE("M2: a length tier counts once the input may pass it, and raises the output too") {
  const Prices tiers(
      {"{provider: p, model: m, input: 1, output: 1, overhead: 0, "
       "max_output: 1000000, tiers: [{above: 1000, input: 2, output: 3}]}"});
  CHECK(tiers.bound({}, 1'000).total == 1'000'000 + usd);
  CHECK(tiers.bound({}, 1'001).total == 2'002'000 + 3 * usd);
}

TEST_CASE("M2: a use of a tool costs the dearest of the tiers that apply") {
  const std::string rest = "overhead: 0, context_window: 10, max_output: 10, ";
  const Prices tiers(
      {"{provider: p, model: m, input: 0, output: 0, " + rest + "tools: {web_search: 0.01}}",
       "{provider: p, model: m, service_tier: priority, input: 0, output: 0, tools: {web_search: "
       "0.03}}",
       "{provider: p, model: m, service_tier: batch, input: 0, output: 0, tools: {web_search: "
       "9}}"});
  RequestFacts facts;
  facts.provider_tools = {{.name = "web_search", .max_uses = 2, .by_options = false}};
  CHECK(tiers.bound(facts).total == 60'000'000);
  facts.service_tier = "default";
  CHECK(tiers.bound(facts).total == 20'000'000);
}

TEST_CASE("M3: the input is bounded by the body and an overhead") {
  RequestFacts facts;
  facts.messages = 3;
  CHECK(tokens(facts, 500, openai) == 500 + 64 + 48);
  facts.tools_or_schema = true;
  CHECK(tokens(facts, 500, openai) == 500 + 64 + 48 + 1'024);
  CHECK(tokens(facts, 500, {.kind = "openai", .model = "m", .foreign_host = true}) == 2'548);
  CHECK(tokens(facts, 500, openai, ", overhead: 7") == 507);
  CHECK(tokens(facts, 500, openai, ", context_window: 600") == 600);
}

TEST_CASE("M3: a picture costs what the provider's table says, whatever its bytes") {
  RequestFacts facts;
  facts.images = 2;
  const std::uint64_t without = tokens({}, 500, openai);
  CHECK(tokens(facts, 500, openai) == without + 12'000);
  CHECK(tokens(facts, 500, {.kind = "openai", .model = "gpt-4o-mini"}) == without + 2 * 48'169);
  CHECK(tokens(facts, 500, {.kind = "anthropic", .model = "m"}) == without + 10'000);
}

TEST_CASE("M3: files are bounded by the window, and have no price without one") {
  RequestFacts facts = limited(1);
  facts.opaque_input = true;
  CHECK_FALSE(plain().bound(facts).priced);
  CHECK(tokens(facts, 500, openai, ", context_window: 90000") == 90'000);
  const Prices free({"{provider: p, model: m, input: 0, output: 1, max_output: 1000000}"});
  CHECK(free.bound(facts).priced);
  CHECK(free.bound(facts).total == 1'000);
}

TEST_CASE("M4: the output is prompts times choices times the limit, a prediction adds its bytes") {
  RequestFacts facts = limited(100);
  facts.prompts = 3;
  facts.choices = 4;
  Bound bound = plain().bound(facts, 0);
  CHECK(bound.total == 12 * 100 * 10'000);
  CHECK(bound.copies == 12);
  facts.prediction_bytes = 50;
  bound = plain().bound(facts, 0);
  CHECK(bound.total == (12 * 100 + 50) * 10'000);
  CHECK(bound.fixed_output == 50 * 10'000);
}

TEST_CASE("M4: without the client's limit the row's; without both a limit is needed, unless free") {
  CHECK(plain().bound({}).output_limit == 1'000);
  const Prices open({"{provider: p, model: m, input: 1, output: 1}"});
  CHECK(open.bound({}).needs_limit);
  CHECK_FALSE(open.bound(limited(5)).needs_limit);
  const Prices free({"{provider: p, model: m, input: 1, output: 0}"});
  CHECK_FALSE(free.bound({}).needs_limit);
  RequestFacts embeddings;
  embeddings.embeddings = true;
  CHECK_FALSE(open.bound(embeddings).needs_limit);
  CHECK(open.bound(embeddings).total == open.bound(embeddings).input);
}

TEST_CASE("M4: reasoning outside the limit is bounded by the largest output") {
  for (const char* model : {"grok-4", "xai/grok-3-mini", "openrouter/x-ai/grok-4"}) {
    const Bound bound = plain().bound(limited(10), million, {.kind = "openai", .model = model});
    CHECK(bound.total == usd + 10'000'000);
    CHECK(bound.fixed_output == 10'000'000);
    CHECK(bound.limit_within(bound.total - 1) == 0);
  }
  // A client's limit above the row's is believed.
  CHECK(plain().bound(limited(2'000), 0, {.kind = "openai", .model = "grok-4"}).total ==
        20'000'000);
}

TEST_CASE("M4: reasoning outside any limit has no price, unless output is free") {
  const BoundTarget grok{.kind = "openai", .model = "x/grok-4"};
  const Prices open({"{provider: p, model: m, input: 1, output: 1}"});
  for (const RequestFacts& facts : {RequestFacts{}, limited(10)}) {
    CHECK_FALSE(open.bound(facts, million, grok).priced);
    CHECK_FALSE(open.bound(facts, million, grok).needs_limit);
  }
  const Prices free({"{provider: p, model: m, input: 1, output: 0}"});
  CHECK(free.bound({}, million, grok).priced);
  CHECK_FALSE(free.bound({}, million, grok).needs_limit);
}

TEST_CASE("M5: a provider's tool is bounded by its uses, the window and the largest output") {
  const Prices prices(
      {"{provider: p, model: m, input: 1, output: 10, context_window: 1000000, "
       "max_output: 100000, tools: {web_search: 0.5}}"});
  RequestFacts facts = limited(10);
  facts.provider_tools = {{.name = "web_search", .max_uses = 3}};
  CHECK(prices.bound(facts, 10).total == 4 * usd + 4 * usd + usd + usd / 2);
  facts.provider_tools.front().max_uses.reset();
  CHECK_FALSE(prices.bound(facts, 10).priced);
  facts.provider_tools.front().takes_uses = true;
  CHECK_FALSE(prices.bound(facts, 10).priced);
  CHECK(prices.bound(facts, 10, {.kind = "anthropic", .model = "m"}).total ==
        6 * usd + 6 * usd + 5 * usd / 2);
  facts.provider_tools = {{.name = "code_execution", .max_uses = 1}};
  CHECK_FALSE(prices.bound(facts, 10).priced);
  facts.provider_tools = {{.name = "web_search", .max_uses = 1}};
  const Prices small({"{provider: p, model: m, input: 1, output: 1, tools: {web_search: 0}}"});
  CHECK_FALSE(small.bound(facts, 10).priced);
}

TEST_CASE("M5: absurd numbers of uses, prompts and pictures do not wrap around") {
  const Prices prices(
      {"{provider: p, model: m, input: 1, output: 10, context_window: 1000000, "
       "max_output: 100000, tools: {web_search: 0.5}}"});
  RequestFacts facts;
  facts.provider_tools = {{.name = "web_search", .max_uses = UINT64_MAX},
                          {.name = "web_search", .max_uses = UINT64_MAX}};
  CHECK(prices.bound(facts).total == nano_max);
  facts = limited(UINT64_MAX);
  facts.prompts = facts.choices = UINT32_MAX;
  CHECK(prices.bound(facts).total == nano_max);
  facts = limited(1);
  facts.images = UINT64_MAX / 2;
  CHECK(plain().bound(facts).total == nano_max);
}

TEST_CASE("M5: a model that searches by itself needs a fee for a request and a window") {
  const Prices fee(
      {"{provider: p, model: m, input: 1, output: 1, request: 0.5, "
       "context_window: 1000000, max_output: 1000000}"});
  const Prices no_window({"{provider: p, model: m, input: 1, output: 1, request: 0.5}"});
  for (const char* model : {"sonar", "perplexity/sonar-pro", "gpt-4o-search-preview-2025-03-11",
                            "openai/gpt-4o-mini-search-preview", "groq/compound", "compound-mini",
                            "anthropic/claude-sonnet-4:online"}) {
    const BoundTarget target{.kind = "openai", .model = model};
    CHECK_FALSE(plain().bound(limited(1), 100, target).priced);
    CHECK_FALSE(no_window.bound(limited(1), 100, target).priced);
    CHECK(fee.bound({}, 100, target).total == 2 * usd + usd / 2);
  }
  CHECK(plain().bound(limited(1), 100, {.kind = "openai", .model = "gpt-4o"}).priced);
}

TEST_CASE("M5: options of a search are priced where the model searches anyway, nowhere else") {
  const Prices fee(
      {"{provider: p, model: m, input: 1, output: 1, request: 0.5, "
       "context_window: 1000000, max_output: 1000000}"});
  RequestFacts facts;
  facts.provider_tools = {{.name = "web_search", .max_uses = {}, .by_options = true}};
  const BoundTarget search{.kind = "openai", .model = "gpt-4o-search-preview"};
  CHECK(fee.bound(facts, 100, search).total == 2 * usd + usd / 2);
  CHECK_FALSE(plain().bound(facts, 100, search).priced);
  CHECK_FALSE(fee.bound(facts, 100, {.kind = "openai", .model = "gpt-4o"}).priced);
  facts.provider_tools.front().by_options = false;
  CHECK_FALSE(fee.bound(facts, 100, search).priced);
}

TEST_CASE("M6: a field that may change the price makes it unknown") {
  RequestFacts facts = limited(1);
  facts.unpriced_field = "plugins";
  const Bound bound = plain().bound(facts);
  CHECK_FALSE(bound.priced);
  CHECK(bound.total == 0);
  CHECK(bound.unpriced.find("plugins") != std::string::npos);
}

TEST_CASE("M2: pictures in the reply are priced by the piece, or not at all") {
  RequestFacts facts = limited(1);
  facts.image_output = true;
  CHECK_FALSE(plain().bound(facts).priced);
  const Prices paints({"{provider: p, model: m, input: 1, output: 0, image: 0.5, overhead: 0}"});
  facts.choices = 3;
  CHECK(paints.bound(facts).total == 2 * usd + usd / 2);
}

TEST_CASE("M12: speech in the reply has a price of its own or none, but where output is free") {
  RequestFacts facts = limited(1);
  facts.audio_output = true;
  CHECK_FALSE(plain().bound(facts).priced);
  const Prices free({"{provider: p, model: m, input: 1, output: 0}"});
  CHECK(free.bound(facts).priced);
}

TEST_CASE("M9: the largest limit within a sum fits it, and one token more does not") {
  RequestFacts facts = limited(1'000);
  facts.choices = 3;
  const Bound bound = plain().bound(facts, 777);
  for (const NanoUsd money : {bound.input + 29'999, bound.input + 30'000, bound.input + 7'654'321,
                              bound.total - 1, bound.total, bound.total + usd}) {
    const std::uint64_t limit = bound.limit_within(money);
    CHECK(bound.with_limit(limit) <= money);
    CHECK((limit == bound.output_limit || bound.with_limit(limit + 1) > money));
  }
  CHECK(bound.limit_within(bound.input - 1) == 0);
}

TEST_CASE("M3: hosts that are known") {
  CHECK(known_host("api.groq.com"));
  CHECK(known_host("aiplatform.googleapis.com"));
  CHECK(known_host("us-east5-aiplatform.googleapis.com"));
  CHECK(known_host("me.openai.azure.com"));
  CHECK(known_host("bedrock-runtime.eu-west-1.amazonaws.com"));
  CHECK_FALSE(known_host("api.groq.com.example.org"));
  CHECK_FALSE(known_host("xapi.groq.com"));
  CHECK_FALSE(known_host("amazonaws.com.example.org"));
  CHECK_FALSE(known_host(""));
}

TEST_CASE("M9: models that reason before they answer") {
  for (const char* model : {"o3-mini", "openai/o1", "gpt-5-mini", "deepseek/deepseek-r1",
                            "gemini-2.5-flash", "models/gemini-3-pro", "x-ai/grok-4", "qwq-32b",
                            "grok-4-fast-reasoning", "kimi-k2-thinking"})
    CHECK(is_reasoning_model(model));
  for (const char* model : {"gpt-4o", "claude-3-5-haiku", "llama-3.1-8b", "gemini-2.0-flash"})
    CHECK_FALSE(is_reasoning_model(model));
}
