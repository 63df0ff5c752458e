#include "policies/money/settle.hpp"

#include <doctest/doctest.h>

#include "tests/unit/prices/support.hpp"

using namespace tollgate;
using namespace tollgate::policies;
using namespace std::chrono_literals;

namespace {

constexpr NanoUsd usd = nano_per_usd;

struct Priced {
  explicit Priced(const std::string& line) : rows(config::rows_of({line})) {
    tariff.rows.push_back(&rows.front());
  }
  std::vector<config::PriceRow> rows;
  Tariff tariff;
};

const Priced& asked() {
  static const Priced priced("{provider: openai, model: m, input: 1, output: 10, output_tps: 100}");
  return priced;
}

/// 1 USD of input, 5 USD of output: half a million tokens at 10 USD a million.
Bound bound() {
  Bound bound;
  bound.priced = true;
  bound.input = usd;
  bound.input_tokens = 1'000'000;
  bound.output_limit = 500'000;
  bound.output_rate = bound.per_output_token = 10 * usd;
  bound.total = 6 * usd;
  return bound;
}

AttemptFacts cancelled() { return {.fully_written = true, .head_seen = true, .http_status = 200}; }

NanoUsd charged(const AttemptFacts& facts) {
  return settle_attempt(facts, bound(), asked().tariff).charged;
}

Settled used(std::uint64_t input, std::uint64_t output, const Tariff& tariff,
             const Tariff* named = nullptr) {
  const Usage usage{.input = input, .output = output};
  AttemptFacts facts = cancelled();
  facts.usage = &usage;
  return settle_attempt(facts, bound(), tariff, named);
}

}  // namespace

TEST_CASE("M11: what was not wholly written costs nothing, what got no status the reservation") {
  CHECK(charged({}) == 0);
  CHECK(charged({.fully_written = true}) == 6 * usd);
  CHECK(charged({.fully_written = true, .stops_billing = false}) == 6 * usd);
}

TEST_CASE("M11: a failed request is not billed, whether or not its body came whole") {
  for (const int status : {400, 401, 429, 500, 503}) {
    for (const bool whole : {true, false}) {
      for (const bool stops : {true, false}) {
        AttemptFacts facts = cancelled();
        facts.http_status = status;
        facts.complete_reply = whole;
        facts.stops_billing = stops;
        facts.since_sent = 100s;
        facts.received_text_bytes = 1'000;
        const Settled settled = settle_attempt(facts, bound(), asked().tariff);
        CHECK(settled.charged == 0);
        CHECK(settled.cost == 0);
      }
    }
  }
}

TEST_CASE("M11: a refused prompt and Azure's 408 cost the input bound") {
  AttemptFacts refused = cancelled();
  refused.http_status = 400;
  refused.complete_reply = refused.content_filter_refusal = true;
  CHECK(charged(refused) == usd);
  AttemptFacts late = cancelled();
  late.http_status = 408;
  CHECK(charged(late) == 0);
  late.bills_timeouts = true;
  late.since_sent = 100s;
  CHECK(charged(late) == usd);
  late.complete_reply = true;
  CHECK(charged(late) == usd);
}

TEST_CASE("M11: only Azure bills a 408, by whatever kind it is called") {
  CHECK(bills_timeouts("azure", "gateway.example.com"));
  CHECK(bills_timeouts("openai", "me.openai.azure.com"));
  CHECK(bills_timeouts("openai", "me.services.ai.azure.com"));
  for (const char* kind : {"openai", "anthropic", "gemini", "vertex", "bedrock", "demo"})
    CHECK_FALSE(bills_timeouts(kind, "api.openai.com"));
  CHECK_FALSE(bills_timeouts("openai", "openai.azure.com.example.org"));
}

TEST_CASE("M11: a reply that was cut costs its input and what the model may have made of it") {
  AttemptFacts facts = cancelled();
  CHECK(charged(facts) == usd);
  facts.received_text_bytes = 100'000;
  CHECK(charged(facts) == 2 * usd);
  facts.since_sent = 2'000s;  // at 100 tokens a second
  CHECK(charged(facts) == 3 * usd);
  facts.received_text_bytes = 300'000;
  CHECK(charged(facts) == 4 * usd);
  facts.received_text_bytes = 900'000;
  CHECK(charged(facts) == 6 * usd);
  facts.received_text_bytes = UINT64_MAX;
  CHECK(charged(facts) == 6 * usd);
}

TEST_CASE("M11: a count that ends too early is completed by what may have been made behind it") {
  const Usage begun{.input = 200'000, .output = 1};
  AttemptFacts facts = cancelled();
  facts.so_far = &begun;
  const auto settled = [&] { return settle_attempt(facts, bound(), asked().tariff); };
  CHECK(settled().charged == usd / 5 + 10'000);
  CHECK(settled().estimated);
  facts.received_text_bytes = 1'000;
  CHECK(settled().output == 1'001);
  facts.since_sent = 20s;  // 100 tokens a second
  CHECK(settled().output == 2'001);
  CHECK(settled().charged == usd / 5 + 20'010'000);
  facts.since_sent = 10h;
  CHECK(settled().output == 500'000);
  facts.since_sent = {};
  facts.stops_billing = false;
  CHECK(settled().charged == usd / 5 + 5 * usd);
}

TEST_CASE("M11: choices are made side by side") {
  AttemptFacts facts = cancelled();
  facts.since_sent = 1'000s;
  Bound four = bound();
  four.copies = 4;
  four.total = 21 * usd;
  CHECK(settle_attempt(facts, four, asked().tariff).charged == 5 * usd);
}

TEST_CASE("M11: a kind that bills on after the connection closed is charged the reservation") {
  AttemptFacts facts = cancelled();
  facts.received_text_bytes = 10;
  facts.stops_billing = false;
  CHECK(charged(facts) == 6 * usd);
  facts.complete_reply = true;  // it ended by itself: nothing more is made
  CHECK(charged(facts) == usd + 100'000);
  for (const char* kind : {"openai", "anthropic", "gemini", "demo"})
    CHECK(stops_billing_on_close(kind));
  for (const char* kind : {"azure", "bedrock", "vertex", "cohere", "mistral", "ollama", ""})
    CHECK_FALSE(stops_billing_on_close(kind));
}

TEST_CASE("M11: output outside the limit is charged as output, not as input") {
  Bound fixed = bound();
  fixed.input = fixed.total = 6 * usd;
  fixed.fixed_output = 5 * usd;
  fixed.per_output_token = 0;
  AttemptFacts facts = cancelled();
  facts.received_text_bytes = 100'000;
  const Settled settled = settle_attempt(facts, fixed, asked().tariff);
  CHECK(settled.charged == 2 * usd);
  CHECK(settled.by_kind.input == usd);
  CHECK(settled.by_kind.output == usd);
}

TEST_CASE("M11: without any limit what was seen is charged") {
  Bound open = bound();
  open.needs_limit = true;
  open.output_limit = 0;
  open.total = open.input;
  AttemptFacts facts = cancelled();
  facts.received_text_bytes = 700'000;
  CHECK(settle_attempt(facts, open, asked().tariff).charged == 8 * usd);
  facts.stops_billing = false;
  CHECK(settle_attempt(facts, open, asked().tariff).charged == 8 * usd);
}

TEST_CASE("M12: what was charged without figures is estimated and adds up") {
  AttemptFacts facts = cancelled();
  facts.received_text_bytes = 100'000;
  const Settled settled = settle_attempt(facts, bound(), asked().tariff);
  CHECK(settled.estimated);
  CHECK(settled.cost == settled.charged);
  CHECK(settled.by_kind.total() == settled.charged);
}

TEST_CASE("M12: without figures and without a bound the cost is unknown, and not 0") {
  Bound none;
  CHECK_FALSE(settle_attempt(cancelled(), none, asked().tariff).cost);
  CHECK(settle_attempt({}, none, asked().tariff).cost == 0);
}

TEST_CASE("M7: the provider's figures are charged in full above the reservation too") {
  const Settled settled = used(1'000'000, 700'000, asked().tariff);
  CHECK(settled.charged == 8 * usd);
  CHECK(settled.cost == 8 * usd);
  CHECK(settled.overrun == 2 * usd);
  CHECK_FALSE(settled.estimated);
  CHECK(used(1'000'000, 0, asked().tariff).overrun == 0);
}

TEST_CASE("M12: a tier that the reply names and that has no price charges the reservation") {
  Usage usage{.input = 10, .output = 10};
  usage.service_tier = TierName("priority");
  AttemptFacts facts = cancelled();
  facts.usage = &usage;
  const Settled settled = settle_attempt(facts, bound(), asked().tariff);
  CHECK(settled.charged == 6 * usd);
  CHECK_FALSE(settled.cost);
}

TEST_CASE("M6: a reply that names another model is charged at the dearer of the two") {
  const Priced dearer("{provider: openai, model: d, input: 2, output: 20}");
  const Priced cheaper("{provider: openai, model: c, input: 0.1, output: 0.1}");
  const Priced part("{provider: openai, model: p, input: 9}");
  CHECK(used(500'000, 100'000, asked().tariff, &dearer.tariff).cost == 3 * usd);
  CHECK(used(500'000, 100'000, asked().tariff, &dearer.tariff).by_kind.output == 2 * usd);
  CHECK(used(500'000, 100'000, asked().tariff, &cheaper.tariff).cost == usd + usd / 2);
  CHECK(used(500'000, 100'000, asked().tariff, &part.tariff).cost == usd + usd / 2);
}

TEST_CASE("M6: a name without a price keeps the cost of the model that was asked for") {
  const Tariff unknown;
  Priced guessed("{provider: openai, model: g, input: 70, output: 70}");
  guessed.tariff.estimated = true;
  for (const Tariff* named : {&unknown, &static_cast<const Tariff&>(guessed.tariff)}) {
    const Settled settled = used(500'000, 100'000, asked().tariff, named);
    CHECK(settled.cost == usd + usd / 2);
    CHECK(settled.charged == usd + usd / 2);
  }
}

TEST_CASE("M6: snapshots and providers' prefixes are the same model") {
  CHECK(same_model("gpt-4o", "gpt-4o"));
  CHECK(same_model("gpt-4o", "gpt-4o-2024-08-06"));
  CHECK(same_model("gpt-4o-2024-08-06", "gpt-4o"));
  CHECK(same_model("gpt-4", "gpt-4-0613"));
  CHECK(same_model("models/gemini-2.0-flash", "gemini-2.0-flash-001"));
  CHECK(same_model("anthropic/claude-sonnet-4", "claude-sonnet-4-20250514"));
  CHECK(same_model("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"));
  CHECK(same_model("claude-opus-4-1", "claude-opus-4-1@20250805"));
  CHECK(same_model("meta-llama/Llama-3-8B", "llama-3-8b"));
}

TEST_CASE("M6: sizes, versions and other snapshots are other models") {
  CHECK_FALSE(same_model("gpt-4o", "gpt-4o-mini"));
  CHECK_FALSE(same_model("gpt-4o", "gpt-4o-mini-2024-07-18"));
  CHECK_FALSE(same_model("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"));
  CHECK_FALSE(same_model("claude-3-5-sonnet", "claude-3-7-sonnet"));
  CHECK_FALSE(same_model("claude-sonnet-4", "claude-sonnet-4-5"));
  CHECK_FALSE(same_model("gemini-2.5-pro", "gemini-2.5-flash"));
  CHECK_FALSE(same_model("openai/gpt-4o", "openai/gpt-4o:online"));
  CHECK_FALSE(same_model("gpt-4o", ""));
}
