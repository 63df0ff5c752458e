#include "policies/store/memory.hpp"

#include "store_laws.hpp"

namespace tollgate::store_tests {
namespace {

std::unique_ptr<World> in_process() {
  auto world = std::make_unique<World>();
  world->store = std::make_unique<policies::MemoryStore>(world->clock);
  return world;
}

void hold_to(std::span<const Law> laws) {
  for (const Law& law : laws) {
    SUBCASE(law.name.c_str()) { law.check(in_process); }
  }
}

TEST_CASE("the store in the process keeps the laws of budgets") { hold_to(budget_laws()); }
TEST_CASE("the store in the process keeps the laws of limits") { hold_to(limit_laws()); }
TEST_CASE("the store in the process keeps the laws over random histories") {
  hold_to(random_laws());
}

TEST_CASE("M15: beyond 100,000 busy users the rest share a bucket; idle ones make room") {
  const auto world = in_process();
  Scope acme = tenant("acme");
  acme.per_user = LimitRule{.requests_per_minute = 1};
  world->store->attach(acme);
  const std::array<const Scope*, 1> scopes{&acme};
  const auto passes = [&](const std::string& user) {
    Ask asked = ask(scopes, 0);
    asked.user = user;
    auto verdict = reserve(*world, asked);
    if (verdict) settle(*world, std::move(verdict->reservation), 0);
    return verdict.has_value();
  };
  for (int i = 0; i < 100'000; ++i)
    REQUIRE(passes("u" + std::to_string(i)));
  CHECK(passes("one more"));
  CHECK_FALSE(passes("and another"));
  world->clock.time += minutes(1);
  CHECK(passes("one more"));
  CHECK(passes("and another"));
}

TEST_CASE("M15: a user whose call runs is not forgotten to make room") {
  const auto world = in_process();
  Scope acme = tenant("acme");
  acme.per_user = LimitRule{.concurrent = 1};
  world->store->attach(acme);
  const std::array<const Scope*, 1> scopes{&acme};
  const auto asks = [&](const std::string& user) {
    Ask asked = ask(scopes, 0);
    asked.user = user;
    return reserve(*world, asked);
  };
  auto running = asks("busy");
  REQUIRE(running);
  for (int i = 0; i < 100'000; ++i) {
    auto verdict = asks("u" + std::to_string(i));
    REQUIRE(verdict);
    settle(*world, std::move(verdict->reservation), 0);
  }
  CHECK_FALSE(asks("busy"));
  settle(*world, std::move(running->reservation), 0);
  auto again = asks("busy");
  REQUIRE(again);
  settle(*world, std::move(again->reservation), 0);
}

TEST_CASE("M18: steps that the books had passed at the start are not told again") {
  const auto world = in_process();
  Scope acme = tenant("acme");
  acme.budgets = {budget(1000)};
  acme.budgets[0].warn_permille = {500, 900};
  world->store->attach(acme);
  world->store->restore(acme, world->clock.time, 600);
  const std::array<const Scope*, 1> scopes{&acme};
  auto call = reserve(*world, ask(scopes, 300));
  REQUIRE(call);
  const auto told = settle(*world, std::move(call->reservation), 300);
  REQUIRE(told.size() == 1);
  CHECK(told[0].permille == 900);
}

}  // namespace
}  // namespace tollgate::store_tests
