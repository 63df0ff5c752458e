// What tests of waiting lines have in common: a provider with a limit, and calls that wait for it.
// A test's own thread, but for `wake`.
#pragma once
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <vector>

#include "routing/health.hpp"
#include "routing/waiter.hpp"

namespace tollgate::routing::test {

using namespace std::chrono_literals;
inline const SteadyTime start{1h};

class TestWaiter final : public Waiter {
 public:
  using Waiter::Waiter;
  int woken = 0;

 protected:
  void wake() noexcept override { ++woken; }
};
using State = Waiter::State;
using Shares = std::vector<Waiter::Share>;

/// One provider, a target of its own for each model asked for, and the calls that run there.
struct Provider {
  std::shared_ptr<ProviderLimit> limit = std::make_shared<ProviderLimit>();
  std::shared_ptr<TargetHealth> target = std::make_shared<TargetHealth>("p", "m", 1, limit);

  explicit Provider(const ProviderLimit::Rules& rules) { limit->set(rules); }
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  /// The line holds who waits, and who waits holds the target.
  ~Provider() { limit->line().close(); }
  [[nodiscard]] Waiter::Wish wish(std::string tenant, std::uint32_t weight = 1) const {
    return wish(Shares{{.tenant = std::move(tenant), .weight = weight}});
  }
  [[nodiscard]] Waiter::Wish wish(Shares shares) const {
    return {.shares = std::move(shares),
            .tokens = 1,
            .places = {{.health = target, .key = 0, .target = 0}}};
  }
  [[nodiscard]] std::shared_ptr<TestWaiter> wait(std::string tenant, SteadyTime now,
                                                 std::uint32_t weight = 1) const {
    return wait(Shares{{.tenant = std::move(tenant), .weight = weight}}, now);
  }
  [[nodiscard]] std::shared_ptr<TestWaiter> wait(Shares shares, SteadyTime now) const {
    auto waiter = std::make_shared<TestWaiter>(wish(std::move(shares)));
    waiter->enter(now);
    return waiter;
  }
  [[nodiscard]] Pass run(SteadyTime now) const {
    Availability refused;
    const auto pass = target->enter(0, now, refused, 1);
    REQUIRE(pass);
    return *pass;
  }
  [[nodiscard]] Availability refusal(SteadyTime now) const {
    Availability refused;
    CHECK_FALSE(target->enter(0, now, refused, 1));
    return refused;
  }
  void end(const Pass& pass, SteadyTime now, Verdict verdict = Verdict::good) const {
    target->leave(pass, {.verdict = verdict}, now);
  }
};

}  // namespace tollgate::routing::test
