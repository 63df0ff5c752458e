#include <array>
#include <map>
#include <random>

#include "reference.hpp"
#include "store_laws.hpp"

namespace tollgate::store_tests {
namespace {

class History {
 public:
  History(const MakeWorld& make, std::uint64_t seed) : world_(make()), random_(seed) { reload(); }

  void step() {
    const auto dice = below(100);
    if (dice < 45) {
      reserve_one();
    } else if (dice < 55) {
      extend_one();
    } else if (dice < 85) {
      settle_one();
    } else if (dice < 99) {
      pass_time();
    } else {
      reload();
    }
    compare_balances();
  }

  void end() {
    while (!running_.empty())
      settle_one();
    compare_balances();
    for (const auto& scope : plan()) {
      CHECK(reference_.running(*scope) == 0);
      for (const Reading& line : readings(*scope)) {
        if (line.budget) CHECK(line.reserved == 0);
        if (line.what == "concurrent") CHECK(line.used == 0);
      }
    }
    CHECK(world_->store->totals().reserved == 0);
  }

 private:
  using Plan = std::vector<std::unique_ptr<Scope>>;  // root, child, key, key, model
  struct Running {
    std::unique_ptr<Reservation> reservation;
    Reference::Call* call;
    std::vector<const Scope*> scopes;
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  Plan& plan() { return plans_.back(); }

  /// Other limits and budgets over the same balances; running calls keep their own plan. Which
  /// buckets there are stays as it is: one that begins or ends has no history to compare.
  void reload() {
    Plan made;
    for (Scope scope : {tenant("root"), tenant("child", "root"), key("a", "child", "root"),
                        key("b", "child", "root"), model("m")}) {
      scope.limits.requests_per_minute = 20 + below(60);
      scope.limits.tokens_per_minute = 2000 + below(9000);
      scope.limits.burst = seconds(10 + below(50));
      scope.limits.concurrent = static_cast<std::uint32_t>(3 + below(9));
      scope.limits.enforce = below(4) != 0;
      for (const Per per : {Per::hour, Per::day, Per::week, Per::month, Per::total}) {
        if (below(3) != 0) continue;
        BudgetRule rule = budget(static_cast<NanoUsd>(2000 + below(20'000)), per);
        rule.estimate = below(5) == 0;
        rule.enforce = below(5) != 0;
        if (per == Per::total && below(2) == 0) {
          rule.since = std::chrono::floor<std::chrono::days>(world_->clock.time);
        }
        scope.budgets.push_back(rule);
      }
      made.push_back(std::make_unique<Scope>(std::move(scope)));
      world_->store->attach(*made.back());
    }
    plans_.push_back(std::move(made));
  }

  void pass_time() {
    const auto dice = below(20);
    SystemTime& time = world_->clock.time;
    if (dice == 0) {
      time += std::chrono::hours(below(40));
    } else if (dice == 1) {
      time = window_end(Per::hour, time) - microseconds(below(2));
    } else {
      time += microseconds(below(8'000'000));
    }
  }

  void reserve_one() {
    const Plan& at = plan();
    std::vector<const Scope*> scopes{at[2 + below(2)].get(), at[1].get(), at[0].get()};
    if (below(3) != 0) scopes.push_back(at[4].get());
    Ask asked = ask(scopes, static_cast<NanoUsd>(below(900)), below(900));
    asked.estimate = asked.bound / 3;
    if (below(10) == 0) asked.tokens = below(20'000);
    if (below(2) == 0) asked.floor = asked.bound / 4;
    const auto expected = reference_.reserve(asked, world_->clock.time);
    auto verdict = reserve(*world_, asked);
    REQUIRE(verdict.has_value() == (expected.call != nullptr));
    if (!verdict) {
      CHECK(verdict.error().kind == expected.kind);
      if (expected.scope.empty()) return;
      CHECK(verdict.error().scope == expected.scope);
      CHECK(verdict.error().retry_after == expected.retry_after);
      return;
    }
    ++admitted;
    if (verdict->reservation->held < asked.bound) ++cut;
    CHECK(verdict->reservation->held == expected.call->held);
    CHECK(verdict->reservation->admitted_at == world_->clock.time);
    CHECK(verdict->would_deny == expected.would_deny);
    running_.push_back({std::move(verdict->reservation), expected.call, scopes});
  }

  void extend_one() {
    if (running_.empty()) return;
    Running& one = running_[below(running_.size())];
    // A window two behind is gone in a store; the reference knows it for ever.
    if (world_->clock.time - one.call->admitted > std::chrono::hours(1)) return;
    const NanoUsd total = one.call->held + static_cast<NanoUsd>(below(500));
    const auto expected = reference_.extend(*one.call, one.scopes, total);
    const auto extended = result_of(world_->store->extend(*one.reservation, total));
    REQUIRE(extended.has_value() == !expected);
    if (expected) CHECK(extended.error().kind == *expected);
  }

  void settle_one() {
    if (running_.empty()) return;
    std::swap(running_[below(running_.size())], running_.back());
    Running one = std::move(running_.back());
    running_.pop_back();
    auto charged = static_cast<NanoUsd>(below(static_cast<std::uint64_t>(one.call->held) + 1));
    if (below(25) == 0) charged += 300;  // M7
    const std::uint64_t tokens = below(1000);
    reference_.settle(*one.call, one.scopes, world_->clock.time, tokens, charged);
    settle(*world_, std::move(one.reservation), charged, tokens);
  }

  std::vector<Reading> readings(const Scope& scope) {
    const std::array<const Scope*, 1> scopes{&scope};
    auto lines = result_of(world_->store->read(scopes, {}));
    REQUIRE(lines);
    return std::move(*lines);
  }

  void compare_balances() {
    const SystemTime now = world_->clock.time;
    for (const auto& scope : plan()) {
      reference_.look(*scope, now);
      std::map<std::string, Reading> by_per;
      for (Reading& line : readings(*scope)) {
        if (line.what == "concurrent") CHECK(line.used == reference_.running(*scope));
        if (line.budget) by_per[line.per] = std::move(line);
      }
      for (const BudgetRule& rule : scope->budgets) {
        const Reading& line = by_per[std::string(to_string(rule.per))];
        CHECK(line.used == static_cast<std::uint64_t>(reference_.spent(*scope, rule, now)));
        CHECK(line.reserved == static_cast<std::uint64_t>(reference_.held(*scope, rule, now)));
      }
    }
  }

  std::unique_ptr<World> world_;
  std::mt19937_64 random_;
  Reference reference_;
  std::list<Plan> plans_;
  std::vector<Running> running_;

 public:
  std::uint64_t admitted = 0, cut = 0;
};

void equal_to_the_reference(const MakeWorld& make) {
  std::uint64_t admitted = 0, cut = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    History history(make, seed);
    for (int i = 0; i < 300; ++i)
      history.step();
    history.end();
    admitted += history.admitted;
    cut += history.cut;
  }
  // The histories say something: calls pass, and some are cut.
  CHECK(admitted > 500);
  CHECK(cut > 5);
}

void never_past_a_ceiling(const MakeWorld& make) {
  const auto world = make();
  std::mt19937_64 random(7);
  Scope of_tenant = tenant("acme"), of_key = key("k", "acme");
  of_tenant.budgets = {budget(5000, Per::hour), budget(20'000, Per::day)};
  of_key.budgets = {budget(3000, Per::hour)};
  world->store->attach(of_tenant);
  world->store->attach(of_key);
  const std::array<const Scope*, 2> scopes{&of_key, &of_tenant};
  std::vector<std::unique_ptr<Reservation>> running;
  for (int i = 0; i < 5000; ++i) {
    if (auto verdict = reserve(*world, ask(scopes, static_cast<NanoUsd>(random() % 700)))) {
      running.push_back(std::move(verdict->reservation));
    }
    if (!running.empty() && random() % 2 == 0) {
      std::swap(running[random() % running.size()], running.back());
      const auto most = static_cast<std::uint64_t>(running.back()->held);
      settle(*world, std::move(running.back()), static_cast<NanoUsd>(random() % (most + 1)));
      running.pop_back();
    }
    world->clock.time += seconds(random() % 90);
    for (const Reading& line : *result_of(world->store->read(scopes, {})))
      CHECK(line.used + line.reserved <= line.limit);
  }
  for (auto& each : running)
    settle(*world, std::move(each), 0);
}

void never_more_than_burst_and_rate(const MakeWorld& make) {
  const auto world = make();
  std::mt19937_64 random(11);
  Scope of_key = key("k", "acme");
  of_key.limits = {.tokens_per_minute = 6000, .burst = seconds(5)};
  world->store->attach(of_key);
  const std::array<const Scope*, 1> scopes{&of_key};
  const SystemTime begin = world->clock.time;
  std::uint64_t passed = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t tokens = 1 + random() % 400;
    if (auto verdict = reserve(*world, ask(scopes, 0, tokens))) {
      passed += tokens;
      settle(*world, std::move(verdict->reservation), 0, tokens);
    }
    world->clock.time += microseconds(random() % 500'000);
    const auto micros = static_cast<std::uint64_t>(
        std::chrono::duration_cast<microseconds>(world->clock.time - begin).count());
    REQUIRE(passed <= 500 + micros * 100 / 1'000'000 + 1);
  }
  CHECK(passed > 50'000);
}

}  // namespace

std::span<const Law> random_laws() {
  static const std::array laws{
      Law{"M1, M9, M13 to M18: equal to the reference over random histories",
          equal_to_the_reference},
      Law{"M9: spent and held never pass a ceiling", never_past_a_ceiling},
      Law{"a bucket never admits more than burst and rate", never_more_than_burst_and_rate},
  };
  return laws;
}

}  // namespace tollgate::store_tests
