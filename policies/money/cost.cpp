#include "policies/money/cost.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tollgate::policies {
namespace {

using Wide = __int128;
constexpr Wide tokens_per_price = 1'000'000;  // rates are for a million tokens
// Above anything that a NanoUsd holds, and small enough that a sum of all parts cannot wrap.
constexpr Wide part_max = Wide{nano_max} * tokens_per_price;

/// By a million, rounded down. Nearly every amount fits the processor's own division.
Wide by_million(Wide amount) {
  if (amount > INT64_MAX) return amount / tokens_per_price;
  return static_cast<std::int64_t>(amount) / static_cast<std::int64_t>(tokens_per_price);
}

/// One kind: what it costs, in millionths of a nano-dollar.
struct Part {
  NanoUsd CostByKind::* kind;
  Wide amount = 0;
};

class Bill {
 public:
  /// False: the kind was used and has no price.
  [[nodiscard]] bool tokens(NanoUsd CostByKind::* kind, std::uint64_t count,
                            const std::optional<NanoUsd>& rate) {
    return add(kind, Wide{count}, rate, 1);
  }
  [[nodiscard]] bool pieces(NanoUsd CostByKind::* kind, std::uint64_t count,
                            const std::optional<NanoUsd>& price) {
    return add(kind, Wide{count}, price, tokens_per_price);
  }
  [[nodiscard]] Cost cost() const;

 private:
  bool add(NanoUsd CostByKind::* kind, Wide count, const std::optional<NanoUsd>& price,
           Wide scale) {
    if (count == 0) return true;
    if (!price) return false;
    const Wide product = count * *price;
    parts_[size_++] = {kind, product > part_max / scale ? part_max : product * scale};
    return true;
  }

  static constexpr std::size_t parts_most = 16;
  std::array<Part, parts_most> parts_{};
  std::size_t size_ = 0;
};

/// The sum is rounded up once. Each kind gets its whole nano-dollars, then those with the largest
/// fractions one more each until they add up to it.
Cost Bill::cost() const {
  Cost out;
  Wide sum = 0;
  std::array<std::pair<Wide, std::size_t>, parts_most> fractions{};
  Wide whole = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    sum += parts_[i].amount;
    const Wide full = by_million(parts_[i].amount);
    whole += full;
    fractions[i] = {full * tokens_per_price - parts_[i].amount, i};
  }
  const Wide total = std::min<Wide>(by_million(sum + tokens_per_price - 1), nano_max);
  std::sort(fractions.begin(), fractions.begin() + static_cast<std::ptrdiff_t>(size_));
  Wide room = total, rest = std::max<Wide>(total - whole, 0);
  for (std::size_t i = 0; i < size_; ++i) {
    const Part& part = parts_[fractions[i].second];
    const Wide extra = rest > 0 ? 1 : 0;
    const Wide share = std::min(by_million(part.amount) + extra, room);
    rest -= extra;
    room -= share;
    out.by_kind.*part.kind += static_cast<NanoUsd>(share);
  }
  out.total = static_cast<NanoUsd>(total);
  return out;
}

std::optional<NanoUsd> fee_of(const config::PriceRow& row, std::string_view tool) {
  const auto found = std::ranges::find(
      row.tools, tool, [](const auto& fee) -> std::string_view { return fee.first; });
  return found == row.tools.end() ? std::nullopt : std::optional(found->second);
}

bool add_input(Bill& bill, const Usage& usage, const config::Rates& rates) {
  // Which of the audio was cached is not told: the uncached input holds it first.
  const std::uint64_t audio = std::min(usage.audio_input, usage.input);
  const std::uint64_t hour = std::min(usage.cache_write_1h, usage.cache_write);
  const auto write = rates.cache_write ? rates.cache_write : rates.input;
  return bill.tokens(&CostByKind::input, usage.input - audio, rates.input) &&
         bill.tokens(&CostByKind::audio_input, audio, rates.audio_input) &&
         bill.tokens(&CostByKind::cache_read, usage.cache_read,
                     rates.cache_read ? rates.cache_read : rates.input) &&
         bill.tokens(&CostByKind::cache_write, usage.cache_write - hour, write) &&
         bill.tokens(&CostByKind::cache_write_1h, hour,
                     rates.cache_write_1h ? rates.cache_write_1h : write);
}

bool add_output(Bill& bill, const Usage& usage, const config::Rates& rates,
                const std::optional<NanoUsd>& image) {
  std::uint64_t left = usage.output;
  const std::uint64_t audio = std::min(usage.audio_output, left);
  left -= audio;
  // Priced by the picture: their tokens are in that price.
  const std::uint64_t pictures = std::min(usage.image_output, left);
  left -= pictures;
  const std::uint64_t reasoning = rates.reasoning ? std::min(usage.reasoning, left) : 0;
  left -= reasoning;
  const std::uint64_t images = std::max<std::uint64_t>(usage.images, pictures > 0 ? 1 : 0);
  return bill.tokens(&CostByKind::output, left, rates.output) &&
         bill.tokens(&CostByKind::reasoning, reasoning, rates.reasoning) &&
         bill.tokens(&CostByKind::audio_output, audio, rates.audio_output) &&
         bill.pieces(&CostByKind::images, images, image);
}

}  // namespace

std::optional<Cost> cost_of(const Usage& usage, const config::PriceRow& row) {
  Bill bill;
  const config::Rates rates = row.rates_for(usage.prompt());
  const bool known =
      add_input(bill, usage, rates) && add_output(bill, usage, rates, row.image) &&
      bill.pieces(&CostByKind::requests, row.request ? 1 : 0, row.request) &&
      bill.pieces(&CostByKind::tools, usage.web_searches, fee_of(row, "web_search")) &&
      bill.pieces(&CostByKind::tools, usage.web_fetches, fee_of(row, "web_fetch"));
  if (!known) return std::nullopt;
  return bill.cost();
}

}  // namespace tollgate::policies
