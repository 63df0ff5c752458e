// PlanMark: the plan under which something was remembered, so that nothing of it outlives a reload.
// Knows a plan by its owner, not by its address, which another may have later. A value of whoever
// remembers; its thread.
#pragma once
#include <memory>

namespace tollgate::policies {

class PlanMark {
 public:
  /// True: it is another plan than last time, and the mark is on it now.
  template <class Plan>
  [[nodiscard]] bool moves_to(const std::shared_ptr<Plan>& plan) {
    if (!plan_.owner_before(plan) && !plan.owner_before(plan_)) return false;
    plan_ = plan;
    return true;
  }

 private:
  std::weak_ptr<const void> plan_;
};

}  // namespace tollgate::policies
