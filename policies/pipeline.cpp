#include <ranges>

#include "policies/policy.hpp"

namespace tollgate::policies {

Awaitable<Result<void>> Watches::admit(std::span<const std::unique_ptr<const Policy>> policies,
                                       Request& request) {
  for (const auto& policy : policies) {
    auto admission = co_await policy->admit(request);
    if (!admission) co_return std::unexpected(admission.error());
    if (admission->watch) watches_.push_back(std::move(admission->watch));
  }
  co_return Result<void>{};
}

Result<std::size_t> Watches::judge(const PolicyList& policies, const Request& request) {
  std::size_t asked = 0;
  for (; asked < policies.size(); ++asked) {
    const auto judged = policies[asked]->judge(request);
    if (!judged) break;
    if (!*judged) return std::unexpected(judged->error());
  }
  return asked;
}

Result<void> Watches::on_frames(Batch& batch) {
  for (const auto& watch : watches_) {
    auto passed = watch->on_frames(batch);
    if (!passed) return passed;
  }
  return {};
}

Awaitable<void> Watches::settle(const Outcome& outcome) {
  if (settled_) co_return;
  settled_ = true;
  for (const auto& watch : std::views::reverse(watches_))
    co_await watch->settle(outcome);
}

}  // namespace tollgate::policies
