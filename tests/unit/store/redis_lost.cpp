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

/// A new master that stands where the old one stood when this was made.
class Promoted {
 public:
  /// `call`: the one whose record it has as it is now, or has not.
  Promoted(Shop& shop, const std::string& call) : shop_(shop) {
    const auto& keys = shop.world.shared->keys();
    keys_ = {keys.scope(ScopeKind::tenant, "acme", "", "acme"),
             keys.scope(ScopeKind::key, "acme", "acme", "k"), keys.record("acme", call)};
    for (const std::string& key : keys_)
      shop.world.port.now("COPY " + key + " before:" + key);
  }
  /// It answers now.
  void take_over(const std::string& data) {
    PlainPort& port = shop_.world.port;
    for (const std::string& key : keys_) {
      port.now("DEL " + key);
      port.now("COPY before:" + key + " " + key);
    }
    port.data = shop_.other.data = data;
  }

 private:
  Shop& shop_;
  std::array<std::string, 3> keys_;
};

Verdict reserve_lost(Store& store, const Shop& shop, NanoUsd bound) {
  Ask asked = ask(shop.scopes, bound);
  asked.id = "lost";
  return result_of(store.reserve(asked));
}

TEST_CASE("M23: after a failover nobody spends until every worker has written its last minute") {
  Shop shop;
  shop.world.port.data = shop.other.data = "one";
  const auto other = shop.replica();
  finish(other->keep_up());
  spend(shop.world, shop.scopes, 1);
  shop.world.clock.time += seconds(1);
  Promoted master(shop, "lost");
  auto call = reserve_lost(*other, shop, 900);
  REQUIRE(call);
  result_of(other->settle(std::move(call->reservation), {.tokens = 1, .charged = 900}));
  master.take_over("two");
  CHECK(shop.day().used == 1);
  for (int turn = 0; turn < 3; ++turn) {
    shop.world.clock.time += milliseconds(200);
    const auto denied = reserve(shop.world, ask(shop.scopes, 5));
    REQUIRE_FALSE(denied);
    CHECK(denied.error().kind == DenialKind::unavailable);
  }
  finish(other->keep_up());
  shop.world.clock.time += milliseconds(200);
  CHECK(reserve(shop.world, ask(shop.scopes, 200)).error().kind == DenialKind::budget_exceeded);
  spend(shop.world, shop.scopes, 5);
  CHECK(shop.day().used == 906);
  // One that is gone is waited for as long as others hear of it.
  shop.world.port.data = "three";
  shop.world.clock.time += milliseconds(200);
  CHECK_FALSE(reserve(shop.world, ask(shop.scopes, 5)));
  shop.world.clock.time += seconds(10);
  spend(shop.world, shop.scopes, 5);
}

TEST_CASE("M23: after a failover nobody spends what a settlement without an answer will charge") {
  Shop shop;
  shop.world.port.data = shop.other.data = "one";
  finish(shop.world.redis().keep_up());
  spend(shop.world, shop.scopes, 1);
  Promoted master(shop, "lost");
  auto call = reserve_lost(shop.world.redis(), shop, 900);
  REQUIRE(call);
  std::optional<DenialKind> denied;
  const auto fail_over = [&] {
    shop.world.port.away = false;
    master.take_over("two");
    shop.world.clock.time += milliseconds(200);
    const auto verdict = reserve(shop.world, ask(shop.scopes, 200));
    REQUIRE_FALSE(verdict);
    denied = verdict.error().kind;
  };
  SUBCASE("while it waits for one") {
    shop.world.port.before_next = [&] {
      fail_over();
      shop.world.port.lose_next = true;
    };
    settle(shop.world, std::move(call->reservation), 900);
  }
  SUBCASE("before it is asked again") {
    shop.world.port.away = true;
    settle(shop.world, std::move(call->reservation), 900);
    fail_over();
  }
  SUBCASE("as it is asked again") {
    shop.world.port.away = true;
    settle(shop.world, std::move(call->reservation), 900);
    shop.world.port.away = false;
    shop.world.port.before_next = [&] {
      shop.world.port.before_next = fail_over;
    };
    finish(shop.world.redis().keep_up());
  }
  CHECK(denied == DenialKind::budget_exceeded);
  finish(shop.world.redis().keep_up());
  CHECK(shop.day().used == 901);
  CHECK(shop.day().reserved == 0);
}

TEST_CASE("M23: after a failover a running call holds what it had been raised to") {
  Shop shop;
  shop.world.port.data = shop.other.data = "one";
  spend(shop.world, shop.scopes, 1);
  auto call = reserve_lost(shop.world.redis(), shop, 300);
  REQUIRE(call);
  Promoted master(shop, "lost");
  REQUIRE(result_of(shop.world.store->extend(*call->reservation, 900)));
  REQUIRE_FALSE(result_of(shop.world.store->extend(*call->reservation, 1'100)));
  master.take_over("two");
  shop.world.clock.time += milliseconds(200);
  CHECK(reserve(shop.world, ask(shop.scopes, 200)).error().kind == DenialKind::budget_reserved);
  CHECK(shop.day().reserved == 900);
  settle(shop.world, std::move(call->reservation), 900);
  CHECK(shop.day().used == 901);
  CHECK(shop.day().reserved == 0);
}

TEST_CASE("M23: what other data admit, as they take the place of the old ones, is given back") {
  Shop shop;
  shop.world.port.data = "one";
  spend(shop.world, shop.scopes, 1);
  shop.world.port.before_next = [&shop] { shop.world.port.data = "two"; };
  const auto denied = reserve(shop.world, ask(shop.scopes, 5));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::unavailable);
  CHECK(shop.day().reserved == 5);
  finish(shop.world.redis().keep_up());
  CHECK(shop.day().reserved == 0);
  spend(shop.world, shop.scopes, 5);
}

TEST_CASE("M25: the row of a lease that ran out waits for the ledger of its own gateway") {
  std::vector<policies::RunOut> dead_told, alive_told;
  policies::RedisTerms of = terms();
  of.ledger = "alive";
  of.on_run_out = [&](const policies::RunOut& call) { alive_told.push_back(call); };
  Shop alive(of);
  of.ledger = "dead";
  of.on_run_out = [&](const policies::RunOut& call) { dead_told.push_back(call); };
  Shop dead(of);
  dead.acme.per_user = LimitRule{.concurrent = 1};
  Ask of_user = ask(dead.scopes, 700);
  of_user.user = "anna";
  auto call = reserve(dead.world, of_user);
  REQUIRE(call);
  alive.world.redis().look_after_all();
  alive.world.clock.time += minutes(2);
  finish(alive.world.redis().keep_up());
  REQUIRE(alive_told.size() == 1);
  CHECK_FALSE(alive_told[0].ours);
  CHECK(alive.day().used == 700);
  // It is back, and then once more.
  for (int start = 0; start < 2; ++start) {
    const auto back = dead.replica();
    back->look_after_all();
    dead.world.clock.time += minutes(2);
    finish(back->keep_up());
    REQUIRE(dead_told.size() == 1);
  }
  CHECK(dead_told[0].ours);
  CHECK(dead_told[0].id == alive_told[0].id);
  CHECK(dead_told[0].charged == 700);
  CHECK(dead_told[0].tenant == "acme");
  CHECK(dead_told[0].key == "k");
  settle(dead.world, std::move(call->reservation), 0);
  CHECK(alive.day().used == 0);
}

}  // namespace
}  // namespace tollgate::store_tests
