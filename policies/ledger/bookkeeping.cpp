#include "policies/ledger/bookkeeping.hpp"

#include <array>
#include <cstdlib>
#include <openssl/rand.h>

#include "policies/ledger/rows.hpp"

namespace tollgate::ledger {

Totals::Sum& Totals::of(const Booking& call) {
  const SystemTime hour = std::chrono::floor<std::chrono::hours>(time_of(call.booked_at));
  const auto key = std::tie(call.tenant, call.key_id, call.model);
  if (last_ != nullptr && std::get<0>(last_->first) == micros_of(hour)) {
    const auto& [at, tenant, key_id, model] = last_->first;
    if (key == std::tie(tenant, key_id, model)) return last_->second;
  }
  const Key whole{micros_of(hour), call.tenant, call.key_id, call.model};
  last_ = &*sums_.try_emplace(whole).first;
  return last_->second;
}

void Totals::add(const Booking& call) {
  Sum& sum = of(call);
  sum.calls += static_cast<std::int64_t>(call.count);
  sum.charged += call.charged;
  for (const std::string_view row : call.attempts) {
    const PackedColumns attempt(row);
    if (attempt.size() <= attempt_width) continue;
    const std::string model = attempt.text_at(attempt_model);
    Booking other;
    other.booked_at = call.booked_at;
    other.tenant = call.tenant;
    other.key_id = call.key_id;
    other.model = model;
    const std::int64_t charged = attempt.number_at(attempt_charged);
    sum.charged -= charged;
    of(other).charged += charged;
  }
}

void Totals::take_away(const Booking& unknown) {
  Sum& sum = of(unknown);
  sum.calls -= static_cast<std::int64_t>(unknown.count);
  sum.charged -= unknown.charged;
}

std::string hour_text(std::int64_t micros) { return timestamp(time_of(micros)); }

std::string new_ledger_id() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) std::abort();  // nothing works without
  bytes[6] = static_cast<unsigned char>((bytes[6] & 15U) | 64U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 63U) | 128U);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    (text += digits[bytes[i] >> 4U]) += digits[bytes[i] & 15U];
  }
  return text;
}

}  // namespace tollgate::ledger
