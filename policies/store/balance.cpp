#include "policies/store/balance.hpp"

namespace tollgate::policies {
namespace {

constexpr std::array pers{Per::hour, Per::day, Per::week, Per::month, Per::total};

}  // namespace

void Balance::roll(SystemTime now) {
  if (now <= latest_) return;
  latest_ = now;
  if (now < rolls_at_) return;
  rolls_at_ = window_end(Per::hour, now);
  for (const Per per : pers) {
    Two& two = windows_[static_cast<std::size_t>(per)];
    const SystemTime start = window_start(per, now);
    if (start <= two.now.start) continue;
    two.before = two.now;
    two.now = WindowSum{.start = start};
  }
}

WindowSum* Balance::of(Per per, SystemTime admitted) {
  Two& two = windows_[static_cast<std::size_t>(per)];
  if (admitted >= two.now.start) return &two.now;
  return window_start(per, admitted) == two.before.start ? &two.before : nullptr;
}

void Balance::hold(SystemTime admitted, NanoUsd bound, NanoUsd estimate) {
  for (const Per per : pers) {
    if (WindowSum* window = of(per, admitted)) {
      window->held += bound;
      window->held_estimate += estimate;
    }
  }
}

void Balance::release(SystemTime admitted, NanoUsd bound, NanoUsd estimate) {
  hold(admitted, -bound, -estimate);
}

void Balance::spend(SystemTime admitted, NanoUsd amount) {
  if (amount == 0) return;
  for (const Per per : pers) {
    if (WindowSum* window = of(per, admitted)) window->spent = add_saturated(window->spent, amount);
  }
  NanoUsd& day = days_[std::chrono::floor<std::chrono::days>(admitted)];
  day = add_saturated(day, amount);
  for (auto& [from, sum] : since_) {
    if (admitted >= from) sum = add_saturated(sum, amount);
  }
}

NanoUsd Balance::spent(const BudgetRule& budget, SystemTime admitted) {
  if (budget.per == Per::total && budget.since) return since(*budget.since);
  const WindowSum* window = of(budget.per, admitted);
  return window == nullptr ? 0 : window->spent;
}

NanoUsd Balance::since(std::chrono::sys_seconds from) {
  for (const auto& [known, sum] : since_) {
    if (known == from) return sum;
  }
  NanoUsd sum = 0;
  for (const auto& [day, amount] : days_) {
    if (day >= std::chrono::floor<std::chrono::days>(from)) sum = add_saturated(sum, amount);
  }
  since_.emplace_back(from, sum);
  return sum;
}

}  // namespace tollgate::policies
