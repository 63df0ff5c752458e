#include "redis_shop.hpp"

namespace tollgate::store_tests {
namespace {

policies::LeftCall left(std::string id, NanoUsd charged, bool ended = true) {
  return {.id = std::move(id),
          .tenant = "acme",
          .key = "k",
          .model = "m",
          .charged = charged,
          .ended = ended};
}

/// The next start of a gateway that left this call.
void start_again(Shop& shop, policies::LeftCall call) {
  shop.world.shared->leave(std::move(call));
  const auto next = shop.replica();
  next->look_after_all();
  finish(next->keep_up());
}

std::int64_t seconds_left(Shop& shop, const std::string& id) {
  const auto& keys = shop.world.shared->keys();
  return shop.world.port.now("TTL " + keys.record("acme", id)).integer;
}

TEST_CASE("M27: a call whose gateway died before its settlement costs what the ledger says") {
  policies::RedisTerms of = terms();
  std::vector<std::string> settled;
  of.on_settled = [&settled](const std::string& id) { settled.push_back(id); };
  Shop shop(of);
  shop.acme.limits.concurrent = 1;
  auto call = reserve(shop.world, ask(shop.scopes, 700));
  REQUIRE(call);
  shop.other.away = true;
  start_again(shop, left("r1", 600));
  CHECK(settled.empty());
  CHECK(shop.day().reserved == 700);
  shop.other.away = false;
  for (int turn = 0; turn < 2; ++turn) {
    start_again(shop, left("r1", 600));
    CHECK(shop.day().used == 600);
    CHECK(shop.day().reserved == 0);
    CHECK(reading(shop.world, shop.acme, "concurrent", "").used == 0);
  }
  CHECK(settled.size() == 3);  // what waited for Redis is settled too
  settle(shop.world, std::move(call->reservation), 600);
  CHECK(shop.day().used == 600);
}

TEST_CASE("M27: what was settled stays so, whatever the ledger of a dead gateway says") {
  Shop shop;
  spend(shop.world, shop.scopes, 500);
  start_again(shop, left("r1", 700, false));
  start_again(shop, left("never", 700));
  CHECK(shop.day().used == 500);
}

TEST_CASE("M13, M25: the ledger's sum replaces that of a lease that ran out, where it is truer") {
  for (const bool shared : {false, true}) {
    for (const bool ended : {false, true}) {
      policies::RedisTerms of = terms();
      of.shares_ledger = shared;
      Shop shop(of);
      auto call = reserve(shop.world, ask(shop.scopes, 700));
      REQUIRE(call);
      const auto other = shop.replica();
      other->look_after_all();
      shop.world.clock.time += minutes(2);
      finish(other->keep_up());
      CHECK(shop.day().used == 700);
      start_again(shop, left("r1", 600, ended));
      CHECK(shop.day().used == (shared && !ended ? 700 : 600));
      CHECK(shop.day().reserved == 0);
      settle(shop.world, std::move(call->reservation), 600);
      CHECK(shop.day().used == 600);
    }
  }
}

TEST_CASE("M13: a settlement without an answer is asked again and charged once, days later too") {
  policies::RedisTerms of = terms();
  std::vector<std::string> told;
  of.on_unanswered = [&told](const std::string& id) { told.push_back("unanswered " + id); };
  of.on_settled = [&told](const std::string& id) { told.push_back("settled " + id); };
  Shop shop(of);
  shop.acme.budgets.front().per = Per::total;
  auto call = reserve(shop.world, ask(shop.scopes, 700));
  REQUIRE(call);
  shop.world.port.lose_next = true;
  settle(shop.world, std::move(call->reservation), 600);
  CHECK(told == std::vector<std::string>{"unanswered r1"});
  // Redis' own clock cannot be turned: what keeps the call from being charged twice lives on.
  CHECK(seconds_left(shop, "r1") > 80 * 86400);
  shop.world.port.away = true;
  shop.world.clock.time += std::chrono::days(20);
  finish(shop.world.redis().keep_up());
  CHECK(told.size() == 1);
  shop.world.port.away = false;
  finish(shop.world.redis().keep_up());
  CHECK(told.back() == "settled r1");
  CHECK(reading(shop.world, shop.acme, "usd", "total").used == 600);
  // Nobody asks for it again.
  shop.world.clock.time += minutes(2);
  finish(shop.world.redis().keep_up());
  CHECK(seconds_left(shop, "r1") <= 600);
  CHECK(seconds_left(shop, "r1") > 60);
}

TEST_CASE("M25: a gateway that Redis did not hear of for days corrects what its lease's end cost") {
  Shop shop;
  shop.acme.budgets.front().per = Per::total;
  auto call = reserve(shop.world, ask(shop.scopes, 700));
  REQUIRE(call);
  shop.world.port.away = true;
  settle(shop.world, std::move(call->reservation), 600);
  const auto other = shop.replica();
  other->look_after_all();
  shop.world.clock.time += std::chrono::days(3);
  finish(other->keep_up());
  shop.world.port.away = false;
  CHECK(reading(shop.world, shop.acme, "usd", "total").used == 700);
  CHECK(seconds_left(shop, "r1") > 80 * 86400);
  finish(shop.world.redis().keep_up());
  CHECK(reading(shop.world, shop.acme, "usd", "total").used == 600);
}

}  // namespace
}  // namespace tollgate::store_tests
