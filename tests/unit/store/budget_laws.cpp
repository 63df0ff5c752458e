#include <array>

#include "store_laws.hpp"

namespace tollgate::store_tests {
namespace {

/// A key under a tenant with one budget of 1,000 a day.
struct Shop {
  explicit Shop(const MakeWorld& make, BudgetRule rule = budget(1000)) : world(make()) {
    of_tenant.budgets = {std::move(rule)};
    world->store->attach(of_tenant);
    world->store->attach(of_key);
  }
  std::unique_ptr<World> world;
  Scope of_tenant = tenant("acme"), of_key = key("k", "acme");
  std::array<const Scope*, 2> scopes{&of_key, &of_tenant};

  Ask asks(NanoUsd bound, NanoUsd floor) const {
    Ask made = ask(scopes, bound);
    made.floor = floor;
    return made;
  }
  Reading day() { return reading(*world, of_tenant, "usd", "day"); }
};

void fits_exactly(const MakeWorld& make) {
  Shop shop(make);
  auto first = reserve(*shop.world, ask(shop.scopes, 600));
  auto second = reserve(*shop.world, ask(shop.scopes, 400));
  REQUIRE(first);
  REQUIRE(second);
  CHECK(shop.day().reserved == 1000);
  const auto third = reserve(*shop.world, ask(shop.scopes, 1));
  REQUIRE_FALSE(third);
  CHECK(third.error().kind == DenialKind::budget_reserved);
  CHECK(third.error().scope == "tenant:acme");
  CHECK(third.error().of == &shop.of_tenant);
  CHECK(third.error().per == Per::day);
  CHECK(third.error().ceiling == 1000);
  CHECK(third.error().spent == 0);
  CHECK(third.error().reserved == 1000);
  CHECK(third.error().retry_after >= seconds(1));
  CHECK(third.error().retry_after <= seconds(5));
  settle(*shop.world, std::move(first->reservation), 10);
  settle(*shop.world, std::move(second->reservation), 20);
  CHECK(shop.day().used == 30);
  CHECK(shop.day().reserved == 0);
}

void spent_money_is_gone_until_the_window_ends(const MakeWorld& make) {
  Shop shop(make);
  spend(*shop.world, shop.scopes, 990);
  const auto denied = reserve(*shop.world, ask(shop.scopes, 11));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::budget_exceeded);
  const SystemTime midnight = window_end(Per::day, shop.world->clock.time);
  CHECK(denied.error().resets_at == midnight);
  CHECK(denied.error().retry_after == midnight - shop.world->clock.time);
}

void total_names_no_time(const MakeWorld& make) {
  Shop shop(make, budget(1000, Per::total));
  spend(*shop.world, shop.scopes, 1000);
  const auto denied = reserve(*shop.world, ask(shop.scopes, 1));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::budget_exceeded);
  CHECK(denied.error().retry_after.count() == 0);
}

void cut_for_spent_money_only(const MakeWorld& make) {
  Shop shop(make);
  spend(*shop.world, shop.scopes, 700);
  auto cut = reserve(*shop.world, shop.asks(500, 100));
  REQUIRE(cut);
  CHECK(cut->reservation->held == 300);
  // All the rest is held now: what could be cut to it waits.
  const auto waits = reserve(*shop.world, shop.asks(500, 100));
  REQUIRE_FALSE(waits);
  CHECK(waits.error().kind == DenialKind::budget_reserved);
  const auto fits_not_even_cut = reserve(*shop.world, shop.asks(500, 301));
  REQUIRE_FALSE(fits_not_even_cut);
  CHECK(fits_not_even_cut.error().kind == DenialKind::budget_exceeded);
  settle(*shop.world, std::move(cut->reservation), 0);
}

void held_money_cuts_nothing(const MakeWorld& make) {
  Shop shop(make);
  auto running = reserve(*shop.world, ask(shop.scopes, 700));
  const auto waits = reserve(*shop.world, shop.asks(500, 100));
  REQUIRE_FALSE(waits);
  CHECK(waits.error().kind == DenialKind::budget_reserved);
  settle(*shop.world, std::move(running->reservation), 0);
}

void tightest_scope_is_named(const MakeWorld& make) {
  Shop shop(make);
  shop.of_key.budgets = {budget(300)};
  const auto denied = reserve(*shop.world, ask(shop.scopes, 2000));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().scope == "key:k");
  CHECK(denied.error().ceiling == 300);
}

void nothing_to_pay_always_passes(const MakeWorld& make) {
  Shop shop(make);
  auto over = reserve(*shop.world, ask(shop.scopes, 1000));
  settle(*shop.world, std::move(over->reservation), 5000);
  CHECK(shop.day().used == 5000);  // M7: the true cost, past the ceiling
  auto free = reserve(*shop.world, ask(shop.scopes, 0));
  REQUIRE(free);
  settle(*shop.world, std::move(free->reservation), 0);
}

void estimates_are_soft(const MakeWorld& make) {
  BudgetRule soft = budget(1000);
  soft.estimate = true;
  Shop shop(make, soft);
  Ask small = ask(shop.scopes, 5000);
  small.estimate = 400;
  auto first = reserve(*shop.world, small);
  auto second = reserve(*shop.world, small);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(shop.day().reserved == 800);
  const auto third = reserve(*shop.world, small);
  REQUIRE_FALSE(third);
  CHECK(third.error().kind == DenialKind::budget_reserved);
  settle(*shop.world, std::move(first->reservation), 0);
  settle(*shop.world, std::move(second->reservation), 0);
  CHECK(shop.day().reserved == 0);
}

void a_cut_call_still_waits_for_soft_budgets(const MakeWorld& make) {
  Shop shop(make);
  shop.of_key.budgets = {budget(500)};
  shop.of_key.budgets[0].estimate = true;
  Ask half = shop.asks(100, 100);
  half.estimate = 400;
  auto running = reserve(*shop.world, half);
  REQUIRE(running);
  Ask large = shop.asks(5000, 10);
  large.estimate = 400;
  const auto waits = reserve(*shop.world, large);
  REQUIRE_FALSE(waits);
  CHECK(waits.error().kind == DenialKind::budget_reserved);
  CHECK(waits.error().scope == "key:k");
  settle(*shop.world, std::move(running->reservation), 0);
}

void counted_without_being_enforced(const MakeWorld& make) {
  BudgetRule lenient = budget(1000);
  lenient.enforce = false;
  Shop shop(make, lenient);
  spend(*shop.world, shop.scopes, 1000);
  auto passes = reserve(*shop.world, ask(shop.scopes, 50));
  REQUIRE(passes);
  CHECK(passes->would_deny == "tenant:acme");
  settle(*shop.world, std::move(passes->reservation), 50);
  CHECK(shop.day().used == 1050);
}

void late_ends_belong_to_their_window(const MakeWorld& make) {
  Shop shop(make);
  auto late = reserve(*shop.world, ask(shop.scopes, 900));
  REQUIRE(late);
  shop.world->clock.time = window_end(Per::day, shop.world->clock.time) - microseconds(1);
  CHECK(shop.day().reserved == 900);
  shop.world->clock.time += microseconds(1);
  CHECK(shop.day().reserved == 0);
  auto next = reserve(*shop.world, ask(shop.scopes, 1000));
  REQUIRE(next);
  settle(*shop.world, std::move(late->reservation), 900);
  CHECK(shop.day().used == 0);
  CHECK(shop.day().reserved == 1000);
  settle(*shop.world, std::move(next->reservation), 7);
  CHECK(shop.day().used == 7);
  shop.of_tenant.budgets = {budget(5000, Per::month)};
  CHECK(reading(*shop.world, shop.of_tenant, "usd", "month").used == 907);
}

void a_clock_set_back_opens_no_window(const MakeWorld& make) {
  Shop shop(make);
  spend(*shop.world, shop.scopes, 990);
  shop.world->clock.time -= std::chrono::days(3);
  CHECK(shop.day().used == 990);
  CHECK_FALSE(reserve(*shop.world, ask(shop.scopes, 11)));
  auto fits = reserve(*shop.world, ask(shop.scopes, 10));
  REQUIRE(fits);
  settle(*shop.world, std::move(fits->reservation), 10);
  CHECK(shop.day().used == 1000);
}

void extended_within_the_ceiling(const MakeWorld& make) {
  Shop shop(make);
  auto call = reserve(*shop.world, ask(shop.scopes, 300));
  REQUIRE(result_of(shop.world->store->extend(*call->reservation, 800)));
  CHECK(shop.day().reserved == 800);
  CHECK(result_of(shop.world->store->extend(*call->reservation, 100)));
  CHECK(shop.day().reserved == 800);
  const auto beyond = result_of(shop.world->store->extend(*call->reservation, 1001));
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().kind == DenialKind::budget_exceeded);
  CHECK(shop.day().reserved == 800);
  CHECK(shop.world->store->totals().reserved == 800);
  settle(*shop.world, std::move(call->reservation), 800);
  CHECK(shop.day().used == 800);
  CHECK(shop.day().reserved == 0);
  CHECK(shop.world->store->totals().reserved == 0);
  CHECK(shop.world->store->totals().spent == 800);
}

using Steps = std::vector<std::uint32_t>;

/// Those that a call which cost so much passed.
Steps told(Shop& shop, NanoUsd charged) {
  auto call = reserve(*shop.world, ask(shop.scopes, 1));
  Steps steps;
  for (const Crossing& each : settle(*shop.world, std::move(call->reservation), charged))
    steps.push_back(each.permille);
  return steps;
}

void steps_are_told_once(const MakeWorld& make) {
  Shop shop(make);
  shop.of_tenant.budgets[0].warn_permille = {500, 800, 1000};
  CHECK(told(shop, 499).empty());
  CHECK(told(shop, 301) == Steps{500, 800});
  CHECK(told(shop, 100).empty());
  shop.world->clock.time = window_end(Per::day, shop.world->clock.time);
  CHECK(told(shop, 500) == Steps{500});
}

void steps_of_a_raised_ceiling_are_told(const MakeWorld& make) {
  Shop shop(make);
  shop.of_tenant.budgets[0].warn_permille = {500, 900};
  CHECK(told(shop, 950) == Steps{500, 900});
  shop.of_tenant.budgets[0].ceiling = 4000;
  CHECK(told(shop, 50).empty());
  CHECK(told(shop, 1000) == Steps{500});
  CHECK(told(shop, 1700) == Steps{900});
  CHECK(told(shop, 10).empty());
  // What was told of one window says nothing of the next.
  shop.world->clock.time = window_end(Per::day, shop.world->clock.time);
  CHECK(told(shop, 3000) == Steps{500});
  CHECK(told(shop, 700) == Steps{900});
}

void present_rate_says_when_it_is_gone(const MakeWorld& make) {
  Shop shop(make);
  shop.of_tenant.budgets[0].warn_permille = {500};
  auto call = reserve(*shop.world, ask(shop.scopes, 500));
  const auto told = settle(*shop.world, std::move(call->reservation), 500);
  REQUIRE(told.size() == 1);
  CHECK(told[0].spent == 500);
  CHECK(told[0].scope == &shop.of_tenant);
  // Half of it in ten hours: the other half in ten more.
  CHECK(told[0].gone_at == shop.world->clock.time + std::chrono::hours(10));
}

void balances_outlive_plans(const MakeWorld& make) {
  Shop shop(make);
  spend(*shop.world, shop.scopes, 400);
  Scope renamed = tenant("acme-new"), again = tenant("acme-new");
  renamed.formerly = {"acme"};
  renamed.budgets = {budget(500)};
  shop.world->store->attach(renamed);
  CHECK(reading(*shop.world, renamed, "usd", "day").used == 400);
  // M17: the budget is new, the spending is not.
  again.budgets = {budget(410, Per::month)};
  CHECK_FALSE(shop.world->store->attach(again));
  const std::array<const Scope*, 1> scopes{&again};
  CHECK_FALSE(reserve(*shop.world, ask(scopes, 11)));
  Scope moved = key("k2", "acme-new");
  moved.formerly = {"k"};
  moved.former_tenants = {"acme"};
  moved.budgets = {budget(1000)};
  shop.world->store->attach(moved);
  CHECK(reading(*shop.world, moved, "usd", "day").used == 400);
}

void bounds_without_measure_leave_nothing_behind(const MakeWorld& make) {
  Shop shop(make);
  shop.of_tenant.budgets = {};
  auto first = reserve(*shop.world, ask(shop.scopes, nano_max));
  auto second = reserve(*shop.world, ask(shop.scopes, nano_max));
  REQUIRE(first);
  REQUIRE(second);
  settle(*shop.world, std::move(first->reservation), 5);
  shop.of_tenant.budgets = {budget(1000)};
  const auto waits = reserve(*shop.world, ask(shop.scopes, 1));
  REQUIRE_FALSE(waits);
  CHECK(waits.error().kind == DenialKind::budget_reserved);
  settle(*shop.world, std::move(second->reservation), 5);
  CHECK(shop.day().reserved == 0);
  CHECK_FALSE(reserve(*shop.world, ask(shop.scopes, 991)));
  auto rest = reserve(*shop.world, ask(shop.scopes, 990));
  REQUIRE(rest);
  CHECK_FALSE(reserve(*shop.world, ask(shop.scopes, 1)));
  settle(*shop.world, std::move(rest->reservation), 990);
}

void a_cost_without_measure_admits_nothing(const MakeWorld& make) {
  Shop shop(make);
  shop.of_tenant.budgets = {};
  auto held = reserve(*shop.world, ask(shop.scopes, 5000));
  auto dear = reserve(*shop.world, ask(shop.scopes, 5000));
  REQUIRE(held);
  REQUIRE(dear);
  settle(*shop.world, std::move(dear->reservation), nano_max);
  shop.of_tenant.budgets = {budget(1000)};
  const auto denied = reserve(*shop.world, ask(shop.scopes, 1));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::budget_exceeded);
  settle(*shop.world, std::move(held->reservation), 0);
}

void restored_from_the_books(const MakeWorld& make) {
  Shop shop(make);
  const SystemTime now = shop.world->clock.time;
  Store& store = *shop.world->store;
  store.restore(shop.of_tenant, now - std::chrono::hours(1), 100);
  store.restore(shop.of_tenant, now - std::chrono::days(1), 1000);
  CHECK(shop.day().used == 100);
  BudgetRule since = budget(5000, Per::total);
  since.since = std::chrono::floor<std::chrono::days>(now);
  shop.of_tenant.budgets = {since};
  CHECK(reading(*shop.world, shop.of_tenant, "usd", "total").used == 100);
  since.since = *since.since - std::chrono::days(1);
  shop.of_tenant.budgets = {since};
  CHECK(reading(*shop.world, shop.of_tenant, "usd", "total").used == 1100);
}

/// A call left the model that admitted it for another one.
void a_model_bears_what_ran_under_it(const MakeWorld& make) {
  const auto world = make();
  Scope of_tenant = tenant("acme"), first = model("first"), second = model("second");
  for (Scope* scope : {&of_tenant, &first, &second}) {
    scope->budgets = {budget(1000)};
    scope->limits.tokens_per_minute = 1000;
    world->store->attach(*scope);
  }
  const std::array<const Scope*, 2> own{&of_tenant, &first};
  const std::array<const Scope*, 1> other{&second};
  auto admitted = reserve(*world, ask(own, 500, 100));
  auto further = reserve(*world, ask(other, 400, 100));
  REQUIRE(admitted);
  REQUIRE(further);
  CHECK(world->store->totals().reserved == 500);  // a model's scope holds the same money again
  result_of(world->store->settle(
      std::move(admitted->reservation),
      {.tokens = 90, .charged = 300, .of_model = Charge::Part{.tokens = 20, .charged = 70}}));
  settle(*world, std::move(further->reservation), 230, 70);
  CHECK(reading(*world, of_tenant, "usd", "day").used == 300);
  CHECK(reading(*world, first, "usd", "day").used == 70);
  CHECK(reading(*world, second, "usd", "day").used == 230);
  CHECK(reading(*world, of_tenant, "tokens", "minute").used == 90);
  CHECK(reading(*world, first, "tokens", "minute").used == 20);
  CHECK(reading(*world, second, "tokens", "minute").used == 70);
  for (const Scope* scope : {&of_tenant, &first, &second})
    CHECK(reading(*world, *scope, "usd", "day").reserved == 0);
  CHECK(world->store->totals().reserved == 0);
  CHECK(world->store->totals().spent == 300);
}

}  // namespace

std::span<const Law> budget_laws() {
  static const std::array laws{
      Law{"M9: what fits beside what is held is admitted", fits_exactly},
      Law{"M9: spent money is gone until its window ends",
          spent_money_is_gone_until_the_window_ends},
      Law{"M9: `total` names no time", total_names_no_time},
      Law{"M9: a reply is cut to what is not yet spent", cut_for_spent_money_only},
      Law{"M9: held money cuts nothing", held_money_cuts_nothing},
      Law{"M9: the tightest scope is named", tightest_scope_is_named},
      Law{"M7, M8: overrun is charged in full, nothing to pay passes",
          nothing_to_pay_always_passes},
      Law{"M7: `reserve: estimate` holds the estimate", estimates_are_soft},
      Law{"M9: a cut call waits for soft budgets too", a_cut_call_still_waits_for_soft_budgets},
      Law{"M18: `enforce: false` counts and denies nothing", counted_without_being_enforced},
      Law{"M16: late ends belong to the window of their call", late_ends_belong_to_their_window},
      Law{"M16: windows only move forward", a_clock_set_back_opens_no_window},
      Law{"M1: what is held is raised within the ceiling, or not at all",
          extended_within_the_ceiling},
      Law{"M14: a model bears what ran under it", a_model_bears_what_ran_under_it},
      Law{"M18: each step is told once a window", steps_are_told_once},
      Law{"M18: the steps of a ceiling that a reload has raised are told as well",
          steps_of_a_raised_ceiling_are_told},
      Law{"M18: the present rate says when it is gone", present_rate_says_when_it_is_gone},
      Law{"bounds without measure leave nothing behind",
          bounds_without_measure_leave_nothing_behind},
      Law{"M7: a cost without measure admits nothing", a_cost_without_measure_admits_nothing},
      Law{"M17: balances outlive plans and names", balances_outlive_plans},
      Law{"M17: the books bring back what was spent", restored_from_the_books},
  };
  return laws;
}

}  // namespace tollgate::store_tests
