#include "policies/money/settle.hpp"

#include <algorithm>

namespace tollgate::policies {
namespace {

constexpr std::uint32_t usual_tps = 500;
constexpr int request_timeout = 408;

/// By the row of the tier that the reply named; nullopt: that price is unknown.
std::optional<Cost> by_usage(const Usage& usage, const Tariff& tariff) {
  const config::PriceRow* row = tariff.row(usage.service_tier.text());
  return row == nullptr ? std::nullopt : cost_of(usage, *row);
}

Settled with_usage(const Usage& usage, const Bound& bound, const Tariff& tariff,
                   const Tariff* named) {
  Settled settled;
  auto cost = by_usage(usage, tariff);
  const auto other = named != nullptr && named->known() ? by_usage(usage, *named) : std::nullopt;
  if (!cost) {
    settled.charged = std::max(bound.total, other ? other->total : 0);
    return settled;
  }
  if (other && other->total > cost->total) cost = other;
  settled.charged = cost->total;
  settled.overrun = std::max<NanoUsd>(0, cost->total - bound.total);
  if (!tariff.known()) return settled;
  settled.cost = cost->total;
  settled.by_kind = cost->by_kind;
  return settled;
}

/// Tokens that the model may have made before it was cut off, all choices together.
std::uint64_t output_seen(const AttemptFacts& facts, const Bound& bound, const Tariff& tariff) {
  const std::uint64_t tps = tariff.output_tps().value_or(usual_tps);
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(facts.since_sent).count();
  const auto made =
      static_cast<unsigned __int128>(std::max<std::int64_t>(ms, 0)) * tps * bound.copies / 1000;
  const auto by_time =
      static_cast<std::uint64_t>(std::min<unsigned __int128>(made, UINT64_MAX / 2));
  return std::max(facts.received_text_bytes, by_time);
}

/// What is due however short the reply was.
NanoUsd input_part(const Bound& bound) { return bound.input - bound.fixed_output; }

NanoUsd partly(const AttemptFacts& facts, const Bound& bound, const Tariff& tariff) {
  const auto wide = static_cast<unsigned __int128>(output_seen(facts, bound, tariff)) *
                    static_cast<std::uint64_t>(bound.output_rate);
  const auto output = std::min<unsigned __int128>((wide + 999'999) / 1'000'000, nano_max);
  const auto reserved = static_cast<unsigned __int128>(bound.total - input_part(bound));
  // A caller without a budget may go without any limit: nothing caps what was seen.
  if (output >= reserved && !bound.needs_limit) return bound.total;
  return add_saturated(input_part(bound), static_cast<NanoUsd>(output));
}

/// Tokens of output that the reservation holds.
std::uint64_t output_reserved(const Bound& bound) {
  if (bound.needs_limit || bound.output_rate <= 0) return UINT64_MAX;
  const auto money = static_cast<unsigned __int128>(bound.total - input_part(bound));
  const auto tokens = money * 1'000'000 / static_cast<std::uint64_t>(bound.output_rate);
  return static_cast<std::uint64_t>(std::min<unsigned __int128>(tokens, UINT64_MAX));
}

/// A count that ends too early is true of what it counts; what came behind it is an estimate.
Settled with_usage_so_far(const AttemptFacts& facts, const Bound& bound, const Tariff& tariff,
                          const Tariff* named) {
  Usage usage = *facts.so_far;
  const std::uint64_t most = output_reserved(bound);
  const std::uint64_t behind =
      facts.stops_billing || most == UINT64_MAX ? output_seen(facts, bound, tariff) : most;
  usage.output += std::min(behind, most - std::min(usage.output, most));
  Settled settled = with_usage(usage, bound, tariff, named);
  settled.estimated = true;
  settled.output = usage.output;
  return settled;
}

bool is_error(const AttemptFacts& facts) { return facts.head_seen && facts.http_status >= 300; }

/// Two failures are billed all the same: a refused prompt, and Azure's 408.
bool is_free(const AttemptFacts& facts) {
  if (!facts.fully_written) return true;
  const bool billed_timeout = facts.bills_timeouts && facts.http_status == request_timeout;
  return is_error(facts) && !facts.content_filter_refusal && !billed_timeout;
}

/// M11, clause by clause. An error is one whether or not its body came whole.
NanoUsd without_usage(const AttemptFacts& facts, const Bound& bound, const Tariff& tariff) {
  if (is_free(facts)) return 0;
  if (!facts.head_seen) return bound.total;
  if (is_error(facts)) return input_part(bound);
  if (!facts.complete_reply && !facts.stops_billing) {
    return std::max(bound.total, partly(facts, bound, tariff));
  }
  return partly(facts, bound, tariff);
}

}  // namespace

bool may_be_billed(const AttemptFacts& facts) { return facts.usage != nullptr || !is_free(facts); }

Settled settle_attempt(const AttemptFacts& facts, const Bound& bound, const Tariff& tariff,
                       const Tariff* named) {
  if (tariff.rows.empty()) return {};
  if (facts.usage != nullptr) return with_usage(*facts.usage, bound, tariff, named);
  if (facts.so_far != nullptr && !is_free(facts)) {
    return with_usage_so_far(facts, bound, tariff, named);
  }
  Settled settled;
  settled.estimated = true;
  settled.charged = without_usage(facts, bound, tariff);
  const bool known = tariff.known() && (bound.priced || is_free(facts));
  if (!known) return settled;
  settled.cost = settled.charged;
  settled.by_kind.input = std::min(settled.charged, input_part(bound));
  settled.by_kind.output = settled.charged - settled.by_kind.input;
  return settled;
}

}  // namespace tollgate::policies
