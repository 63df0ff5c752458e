#include "policies/money/estimate.hpp"

#include <algorithm>
#include <functional>

namespace tollgate::policies {
namespace {

constexpr std::uint64_t kib = 1024;

using Wide = unsigned __int128;

std::uint64_t capped(Wide tokens) {
  constexpr std::uint64_t most = UINT64_MAX / 4;  // sums of a few do not wrap
  return tokens > most ? most : static_cast<std::uint64_t>(tokens);
}

/// A sixteenth of the new in place of the old.
void move(std::atomic<std::uint32_t>& mean, std::uint64_t seen) {
  const std::int64_t old = mean.load(std::memory_order_relaxed);
  const auto target = static_cast<std::int64_t>(std::min<std::uint64_t>(seen, UINT32_MAX));
  std::int64_t step = (target - old) / 16;
  if (step == 0 && target != old) step = target > old ? 1 : -1;
  mean.store(static_cast<std::uint32_t>(old + step), std::memory_order_relaxed);
}

std::size_t place_of(std::string_view model, std::size_t places) {
  return std::hash<std::string_view>{}(model) % places;
}

}  // namespace

Estimate TokenEstimates::estimate(std::string_view model, std::uint64_t body_bytes,
                                  std::uint64_t output_limit, std::uint64_t copies) const {
  const Learned& learned = learned_[place_of(model, places)];
  const std::uint64_t per_kib = learned.tokens_per_kib.load(std::memory_order_relaxed);
  Estimate estimate;
  // What a provider finds or adds is learned as if it were in the body: a large body would seem to
  // hold more tokens than bytes.
  estimate.input =
      std::min(capped((static_cast<Wide>(body_bytes) * per_kib + kib - 1) / kib), body_bytes);
  estimate.output = learned.output.load(std::memory_order_relaxed);
  if (output_limit > 0) estimate.output = std::min(estimate.output, output_limit);
  estimate.output = capped(static_cast<Wide>(estimate.output) * copies);
  return estimate;
}

void TokenEstimates::learn(std::string_view model, std::uint64_t body_bytes, const Usage& usage,
                           std::uint64_t copies) {
  if (body_bytes == 0) return;
  Learned& learned = learned_[place_of(model, places)];
  move(learned.tokens_per_kib, capped(static_cast<Wide>(usage.prompt()) * kib / body_bytes));
  move(learned.output, usage.output / std::max<std::uint64_t>(copies, 1));
}

NanoUsd estimated_cost(const Bound& bound, const Estimate& estimate) {
  constexpr unsigned __int128 million = 1'000'000;
  if (bound.total <= 0 || bound.input_tokens == 0) return bound.total;
  const auto input = static_cast<unsigned __int128>(bound.input - bound.fixed_output) *
                     std::min(estimate.input, bound.input_tokens) / bound.input_tokens;
  const auto output = static_cast<unsigned __int128>(bound.output_rate) * estimate.output / million;
  const auto sum = input + output;
  return sum > static_cast<unsigned __int128>(bound.total) ? bound.total
                                                           : static_cast<NanoUsd>(sum);
}

}  // namespace tollgate::policies
