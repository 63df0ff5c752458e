#include "redis_shop.hpp"

namespace tollgate::store_tests {
namespace {

/// Terms that count how often data were found lost.
policies::RedisTerms counting(int& lost) {
  policies::RedisTerms of = terms();
  of.on_lost = [&lost] { ++lost; };
  return of;
}

/// The ledger is read anew, a second after the loss, and says `charged`.
void refill(Shop& shop, NanoUsd charged) {
  shop.world.clock.time += seconds(1);
  shop.world.shared->forget_books();
  shop.world.store->restore(shop.acme, shop.world.clock.time, charged);
  shop.world.shared->books_are_read(shop.world.clock.time);
}

TEST_CASE("M23: workers that fill an empty Redis at once take nothing for lost") {
  int lost = 0;
  Shop shop(counting(lost));
  const auto other = shop.replica();
  // Between what the first one was told, that all is unknown, and its look at that.
  shop.world.port.before_next = [&] {
    Ask asked = ask(shop.scopes, 10);
    asked.id = "meanwhile";
    auto verdict = result_of(other->reserve(asked));
    REQUIRE(verdict);
    result_of(other->settle(std::move(verdict->reservation), {.tokens = 1, .charged = 10}));
  };
  auto call = reserve(shop.world, ask(shop.scopes, 20));
  REQUIRE(call);
  settle(shop.world, std::move(call->reservation), 20);
  CHECK(lost == 0);
  CHECK(shop.day().used == 30);
}

TEST_CASE("M23: a call that ended as data were lost is charged by the ledger or by itself, once") {
  int lost = 0;
  Shop shop(counting(lost));
  auto ended = reserve(shop.world, ask(shop.scopes, 100));
  auto running = reserve(shop.world, ask(shop.scopes, 100));
  REQUIRE(ended);
  REQUIRE(running);
  shop.world.port.now("FLUSHALL");
  settle(shop.world, std::move(ended->reservation), 90);  // its row is in the ledger now
  CHECK(lost == 1);
  CHECK(shop.world.shared->counts().unfinished == 1);
  refill(shop, 90);
  finish(shop.world.redis().keep_up());
  CHECK(shop.world.shared->counts().unfinished == 0);
  CHECK(shop.day().used == 90);
  shop.world.clock.time += seconds(1);
  settle(shop.world, std::move(running->reservation), 80);
  CHECK(shop.day().used == 170);
}

TEST_CASE("M23: where all data are lost, what the ledger says is not written once more") {
  int lost = 0;
  Shop shop(counting(lost));
  shop.world.port.data = "one";
  spend(shop.world, shop.scopes, 40);
  finish(shop.world.redis().keep_up());
  shop.world.port.now("FLUSHALL");
  shop.world.port.data = "two";
  finish(shop.world.redis().keep_up());
  CHECK(lost == 1);
  refill(shop, 40);
  finish(shop.world.redis().keep_up());
  CHECK(shop.day().used == 40);
  spend(shop.world, shop.scopes, 2);
  CHECK(shop.day().used == 42);
}

}  // namespace
}  // namespace tollgate::store_tests
