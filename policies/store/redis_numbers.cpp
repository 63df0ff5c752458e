#include "policies/store/redis_numbers.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace tollgate::policies {
namespace {

static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(double) == sizeof(std::int64_t) && std::numeric_limits<double>::is_iec559);
using Bytes = std::array<char, sizeof(double)>;
constexpr double beyond = 9223372036854775808.0;  // 2^63: the signed numbers end below it
constexpr std::int64_t seconds_of_a_day = 86400;

/// The least amount that has reached `permille` of the ceiling.
NanoUsd step_at(NanoUsd ceiling, std::uint32_t permille) {
  return static_cast<NanoUsd>(
      std::min<__int128>((static_cast<__int128>(ceiling) * permille + 999) / 1000, nano_max));
}

}  // namespace

void RedisNumbers::add(std::int64_t number) {
  const auto bytes = std::bit_cast<Bytes>(static_cast<double>(number));
  text_.append(bytes.data(), bytes.size());
}

void RedisNumbers::replace(std::size_t place, std::int64_t number) {
  const auto bytes = std::bit_cast<Bytes>(static_cast<double>(number));
  std::ranges::copy(bytes, text_.begin() + static_cast<std::ptrdiff_t>(place * bytes.size()));
}

void RedisNumbers::add_count(std::uint64_t count) {
  add(static_cast<std::int64_t>(std::min<std::uint64_t>(count, INT64_MAX)));
}

void RedisNumbers::add_money(NanoUsd amount) {
  const NanoUsd rest = (amount % nano_per_usd + nano_per_usd) % nano_per_usd;
  add(amount / nano_per_usd - (amount % nano_per_usd < 0 ? 1 : 0));
  add(rest);
}

void RedisNumbers::add_limits(const LimitRule& rule) {
  add_count(rule.requests_per_minute);
  add_count(rule.tokens_per_minute);
  add(std::chrono::microseconds(rule.burst).count());
  add(rule.concurrent);
  add(rule.enforce ? 1 : 0);
}

void RedisNumbers::add_budgets(const Scope& scope) {
  add_count(scope.budgets.size());
  for (const BudgetRule& rule : scope.budgets) {
    const bool dated = rule.per == Per::total && rule.since;
    const std::int64_t since = dated ? rule.since->time_since_epoch().count() : 0;
    add(static_cast<std::int64_t>(rule.per));
    add_money(rule.ceiling);
    add(rule.estimate ? 1 : 0);
    add(rule.enforce ? 1 : 0);
    add(dated ? since - since % seconds_of_a_day : -1);
    add_count(rule.ceiling > 0 ? rule.warn_permille.size() : 0);
    for (const std::uint32_t step : rule.warn_permille) {
      if (rule.ceiling <= 0) break;
      add(step);
      add_money(step_at(rule.ceiling, step));
    }
  }
}

std::int64_t RedisAnswer::take() {
  const std::int64_t number = number_at(at_);
  if (!at_end()) at_ += sizeof(double);
  return number;
}

std::int64_t RedisAnswer::first() const { return number_at(0); }

std::int64_t RedisAnswer::number_at(std::size_t at) const {
  double number = 0;
  if (at + sizeof number > text_.size()) return 0;
  std::memcpy(&number, text_.data() + at, sizeof number);
  if (number >= beyond) return INT64_MAX;
  return number > -beyond ? static_cast<std::int64_t>(number) : INT64_MIN;
}

NanoUsd RedisAnswer::take_money() {
  const std::int64_t usd = take(), nano = take();
  const __int128 sum = static_cast<__int128>(usd) * nano_per_usd + nano;
  return static_cast<NanoUsd>(std::clamp<__int128>(sum, -nano_max, nano_max));
}

}  // namespace tollgate::policies
