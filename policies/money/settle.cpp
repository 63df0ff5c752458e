#include "policies/money/settle.hpp"

#include <algorithm>

namespace tollgate::policies {
namespace {

constexpr std::uint32_t usual_tps = 500;
constexpr int azure_timeout = 408;

/// By the row of the tier that the reply named; nullopt: that price is unknown.
std::optional<Cost> by_usage(const Usage& usage, const Tariff& tariff) {
  const config::PriceRow* row = tariff.row(usage.service_tier.text());
  return row == nullptr ? std::nullopt : cost_of(usage, *row);
}

Settled with_usage(const Usage& usage, const Bound& bound, const Tariff& tariff,
                   const Tariff* named) {
  Settled settled;
  auto cost = by_usage(usage, tariff);
  if (named != nullptr) {
    const auto other = by_usage(usage, *named);
    if (other && (!cost || other->total > cost->total)) cost = other;
  }
  if (!cost) {
    settled.charged = bound.total;
    return settled;
  }
  settled.charged = cost->total;
  settled.overrun = std::max<NanoUsd>(0, cost->total - bound.total);
  if (!tariff.known()) return settled;
  settled.cost = cost->total;
  settled.by_kind = cost->by_kind;
  return settled;
}

/// Tokens that the model may have made before it was cut off.
std::uint64_t output_seen(const AttemptFacts& facts, const Tariff& tariff) {
  const std::uint64_t tps = tariff.output_tps().value_or(usual_tps);
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(facts.since_sent).count();
  const std::uint64_t by_time =
      static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0)) * tps / 1000;
  return std::max(facts.received_text_bytes, by_time);
}

NanoUsd partly(const AttemptFacts& facts, const Bound& bound, const Tariff& tariff) {
  const auto wide = static_cast<unsigned __int128>(output_seen(facts, tariff)) *
                    static_cast<std::uint64_t>(bound.output_rate);
  const auto output = (wide + 999'999) / 1'000'000;
  const NanoUsd reserved_output = bound.total - bound.input;
  if (output >= static_cast<unsigned __int128>(reserved_output)) return bound.total;
  return bound.input + static_cast<NanoUsd>(output);
}

/// M11, clause by clause.
NanoUsd without_usage(const AttemptFacts& facts, const Bound& bound, const Tariff& tariff) {
  if (!facts.fully_written) return 0;
  if (!facts.head_seen) return bound.total;
  const bool error = facts.http_status >= 300;
  const bool billed = facts.content_filter_refusal || facts.http_status == azure_timeout;
  if (error && facts.complete_reply) return billed ? bound.input : 0;
  if (error && !billed) return 0;
  return partly(facts, bound, tariff);
}

}  // namespace

Settled settle_attempt(const AttemptFacts& facts, const Bound& bound, const Tariff& tariff,
                       const Tariff* named) {
  if (tariff.rows.empty()) return {};
  if (facts.usage != nullptr) return with_usage(*facts.usage, bound, tariff, named);
  Settled settled;
  settled.estimated = true;
  settled.charged = without_usage(facts, bound, tariff);
  if (!tariff.known()) return settled;
  settled.cost = settled.charged;
  settled.by_kind.input = std::min(settled.charged, bound.input);
  settled.by_kind.output = settled.charged - settled.by_kind.input;
  return settled;
}

}  // namespace tollgate::policies
