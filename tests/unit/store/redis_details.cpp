#include <atomic>
#include <thread>

#include "redis_shop.hpp"

namespace tollgate::store_tests {
namespace {

TEST_CASE("money is exact beyond what Lua's numbers hold") {
  Shop shop;
  constexpr NanoUsd much = (1LL << 62) + 1;
  shop.acme.budgets = {budget(nano_max, Per::day)};
  auto call = reserve(shop.world, ask(shop.scopes, much));
  REQUIRE(call);
  CHECK(shop.day().reserved == much);
  // One nano-dollar more than what is left, and exactly that.
  CHECK_FALSE(reserve(shop.world, ask(shop.scopes, nano_max - much + 1)));
  auto rest = reserve(shop.world, ask(shop.scopes, nano_max - much));
  REQUIRE(rest);
  settle(shop.world, std::move(call->reservation), much - 1);
  CHECK(shop.day().used == much - 1);
  CHECK(shop.day().reserved == nano_max - much);
  settle(shop.world, std::move(rest->reservation), 3);
  CHECK(shop.day().used == much + 2);
}

TEST_CASE("M9, M14: replicas that race for a ceiling pass none and lose nothing") {
  Shop shop;
  shop.acme.budgets = {budget(100'000)};
  shop.acme.limits.concurrent = 3;
  std::atomic<NanoUsd> charged = 0;
  std::atomic<int> ids = 0;
  const auto race = [&] {
    PlainPort port(server().port());
    RedisStore store(*shop.world.shared, &port);
    for (int passed = 0; passed < 600;) {
      const std::string id = "race" + std::to_string(++ids);
      Ask asked = ask(shop.scopes, 50);
      asked.id = id;
      auto verdict = result_of(store.reserve(asked));
      if (!verdict && verdict.error().kind == DenialKind::concurrent) continue;
      ++passed;
      if (!verdict) continue;
      charged += 49;
      result_of(store.settle(std::move(verdict->reservation), {.tokens = 1, .charged = 49}));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back(race);
  }
  CHECK(shop.day().used == static_cast<std::uint64_t>(charged.load()));
  CHECK(charged <= 100'000);
  CHECK(charged > 99'900);
  CHECK(shop.day().reserved == 0);
  CHECK(reading(shop.world, shop.acme, "concurrent", "").used == 0);
}

TEST_CASE("M18, M24: windows as the release before wrote them tell no step again") {
  Shop shop;
  shop.acme.budgets[0].warn_permille = {500, 900};
  const auto told = [&](NanoUsd charged) {
    auto call = reserve(shop.world, ask(shop.scopes, 1));
    REQUIRE(call);
    return settle(shop.world, std::move(call->reservation), charged).size();
  };
  CHECK(told(600) == 1);
  // It knew the steps only, not the amounts that they stood for.
  constexpr auto cut =
      "redis.call('HSET',KEYS[1],'w',string.sub(redis.call('HGET',KEYS[1],'w'),1,320))";
  const std::string key = policies::redis_account(shop.acme).key;
  CHECK_FALSE(shop.world.port.now(std::string("EVAL ") + cut + " 1 " + key).is_error());
  shop.acme.budgets[0].ceiling = 2000;
  CHECK(told(500) == 0);
  CHECK(told(700) == 1);
  CHECK(shop.day().used == 1800);
}

TEST_CASE("M20: one round trip reserves in all scopes, one settles") {
  Shop shop;
  spend(shop.world, shop.scopes, 1);
  const std::uint64_t before = shop.world.port.calls;
  auto call = reserve(shop.world, ask(shop.scopes, 1));
  CHECK(shop.world.port.calls == before + 1);
  settle(shop.world, std::move(call->reservation), 1);
  CHECK(shop.world.port.calls == before + 2);
}

TEST_CASE("M22: a reserve whose answer is lost is taken back, and one that comes late is none") {
  Shop shop;
  spend(shop.world, shop.scopes, 1);
  shop.world.port.lose_next = true;
  const auto denied = reserve(shop.world, ask(shop.scopes, 700));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::unavailable);
  CHECK(shop.day().reserved == 700);
  CHECK(shop.world.shared->counts().unfinished == 1);
  finish(shop.world.redis().keep_up());
  CHECK(shop.world.shared->counts().unfinished == 0);
  CHECK(shop.day().reserved == 0);
  CHECK(shop.day().used == 1);
  // The same call, as if its reserve had been under way all the time.
  Ask late = ask(shop.scopes, 700);
  const std::string id = "r" + std::to_string(shop.world.calls);
  late.id = id;
  CHECK_FALSE(result_of(shop.world.store->reserve(late)));
  CHECK(shop.day().reserved == 0);
}

TEST_CASE("M13: a settlement whose answer is lost is charged once") {
  Shop shop;
  auto call = reserve(shop.world, ask(shop.scopes, 700));
  REQUIRE(call);
  shop.world.port.lose_next = true;
  settle(shop.world, std::move(call->reservation), 600);
  CHECK(shop.world.shared->counts().unfinished == 1);
  finish(shop.world.redis().keep_up());
  CHECK(shop.day().used == 600);
  CHECK(shop.day().reserved == 0);
}

TEST_CASE("M25: a lease that runs out is charged as spent, its late end at the truth") {
  policies::RedisTerms of = terms();
  std::vector<policies::RunOut> told;
  of.on_run_out = [&told](const policies::RunOut& call) { told.push_back(call); };
  Shop shop(std::move(of));
  shop.acme.limits = {.tokens_per_minute = 1000, .concurrent = 1};
  shop.world.redis().look_after_all();
  auto call = reserve(shop.world, ask(shop.scopes, 700, 400));
  REQUIRE(call);
  const SystemTime admitted = call->reservation->admitted_at;
  const auto other = shop.replica();
  other->look_after_all();
  shop.world.clock.time += seconds(59);
  finish(shop.world.redis().keep_up());  // renewed by its owner
  shop.world.clock.time += seconds(59);
  finish(other->keep_up());
  CHECK(told.empty());
  CHECK(shop.day().reserved == 700);
  shop.world.clock.time += seconds(2);
  const auto third = shop.replica();
  third->look_after_all();
  finish(third->keep_up());
  REQUIRE(told.size() == 1);
  CHECK(told[0].id == "r1");
  CHECK(told[0].charged == 700);
  CHECK(told[0].admitted_at == admitted);
  CHECK(shop.day().used == 700);
  CHECK(shop.day().reserved == 0);
  CHECK(reading(shop.world, shop.acme, "concurrent", "").used == 0);
  CHECK(reading(shop.world, shop.acme, "tokens", "minute").used == 0);
  settle(shop.world, std::move(call->reservation), 100, 300);
  CHECK(shop.day().used == 100);
  CHECK(reading(shop.world, shop.acme, "tokens", "minute").used == 300);
  CHECK(reading(shop.world, shop.acme, "concurrent", "").used == 0);
}

TEST_CASE("away: callers under a budget are denied, limits hold in the process, ends reach Redis") {
  Shop shop;
  Scope other = tenant("other");
  other.limits.requests_per_minute = 2;
  shop.world.store->attach(other);
  const std::array<const Scope*, 1> scopes{&other};
  spend(shop.world, shop.scopes, 1);
  shop.world.port.away = true;
  const auto denied = reserve(shop.world, ask(shop.scopes, 5));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::unavailable);
  CHECK(denied.error().of == &shop.acme);
  CHECK(denied.error().retry_after == seconds(1));
  CHECK(shop.world.shared->counts().unfinished == 0);  // nothing was sent
  auto free = reserve(shop.world, ask(shop.scopes, 0));
  REQUIRE(free);  // M8
  CHECK(free->degraded == "budgets");
  settle(shop.world, std::move(free->reservation), 7);
  for (int i = 0; i < 2; ++i) {
    auto passes = reserve(shop.world, ask(scopes, 5));
    REQUIRE(passes);
    CHECK(passes->degraded == "limits");
    CHECK(passes->room.remaining_requests == static_cast<std::uint64_t>(1 - i));
    settle(shop.world, std::move(passes->reservation), 5);
  }
  const auto limited = reserve(shop.world, ask(scopes, 5));
  REQUIRE_FALSE(limited);
  CHECK(limited.error().kind == DenialKind::requests);
  CHECK(limited.error().of == &other);
  CHECK(shop.world.shared->counts().away);
  shop.world.port.away = false;
  finish(shop.world.redis().keep_up());
  CHECK_FALSE(shop.world.shared->counts().away);
  CHECK(shop.day().used == 8);
  CHECK(shop.day().reserved == 0);
}

TEST_CASE("away: `allow` and `local` for budgets, `deny` for limits") {
  using config::OnStoreError;
  policies::RedisTerms of = terms();
  of.on_error = {.limits = OnStoreError::deny, .budgets = OnStoreError::allow};
  Shop allows(of);
  allows.world.port.away = true;
  auto beyond = reserve(allows.world, ask(allows.scopes, 5000));
  REQUIRE(beyond);
  CHECK(beyond->degraded == "budgets");
  REQUIRE(result_of(allows.world.store->extend(*beyond->reservation, 9000)));
  settle(allows.world, std::move(beyond->reservation), 0);
  Scope limited = tenant("limited");
  limited.limits.requests_per_minute = 100;
  allows.world.store->attach(limited);
  const std::array<const Scope*, 1> scopes{&limited};
  CHECK_FALSE(reserve(allows.world, ask(scopes, 0)));

  of = terms();
  of.on_error.budgets = OnStoreError::local;
  Shop counts(of);
  counts.world.port.away = true;
  auto first = reserve(counts.world, ask(counts.scopes, 600));
  REQUIRE(first);
  const auto second = reserve(counts.world, ask(counts.scopes, 600));
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == DenialKind::budget_reserved);
  CHECK(second.error().of == &counts.acme);
  settle(counts.world, std::move(first->reservation), 0);
}

TEST_CASE("M23: lost data are filled from the ledger, not from what was known at the start") {
  policies::RedisTerms of = terms();
  int lost = 0;
  of.on_lost = [&lost] { ++lost; };
  Shop shop(std::move(of));
  shop.world.store->restore(shop.acme, shop.world.clock.time, 100);
  spend(shop.world, shop.scopes, 50);
  CHECK(shop.day().used == 150);
  CHECK(lost == 0);
  shop.world.port.now("FLUSHALL");
  for (int i = 0; i < 2; ++i) {
    const auto denied = reserve(shop.world, ask(shop.scopes, 1));
    REQUIRE_FALSE(denied);
    CHECK(denied.error().kind == DenialKind::unavailable);
  }
  CHECK(lost == 1);
  shop.world.shared->forget_books();
  shop.world.store->restore(shop.acme, shop.world.clock.time, 170);
  shop.world.shared->books_are_read(shop.world.clock.time);
  spend(shop.world, shop.scopes, 1);
  CHECK(shop.day().used == 171);
}

TEST_CASE("M23: after a failover the last reserves and settlements are written once more") {
  Shop shop;
  shop.acme.limits.concurrent = 5;
  shop.world.port.data = "one";
  spend(shop.world, shop.scopes, 1);
  finish(shop.world.redis().keep_up());
  const std::string prefix = shop.world.shared->terms().prefix + ":" +
                             std::string(policies::RedisKeys::version) + ":{acme}:";
  const std::vector<std::string> names{"tenant:acme", "key:acme:k"};
  // The replica that takes over has seen all until here.
  for (const std::string& name : names)
    shop.world.port.now("COPY " + prefix + name + " backup:" + name + " REPLACE");
  auto ended = reserve(shop.world, ask(shop.scopes, 300));
  const std::string ended_id = "r" + std::to_string(shop.world.calls);
  settle(shop.world, std::move(ended->reservation), 200);
  auto running = reserve(shop.world, ask(shop.scopes, 400));
  const std::string running_id = "r" + std::to_string(shop.world.calls);
  finish(shop.world.redis().keep_up());
  CHECK(shop.day().used == 201);
  for (const std::string& name : names)
    shop.world.port.now("COPY backup:" + name + " " + prefix + name + " REPLACE");
  for (const std::string& id : {ended_id, running_id})
    shop.world.port.now("DEL " + prefix + "call:" + id);
  CHECK(shop.day().used == 1);
  shop.world.port.data = "two";
  for (int i = 0; i < 2; ++i) {
    finish(shop.world.redis().keep_up());
    CHECK(shop.day().used == 201);
    CHECK(shop.day().reserved == 400);
    CHECK(reading(shop.world, shop.acme, "concurrent", "").used == 1);
    shop.world.port.data += "!";  // nothing was lost this time: nothing is charged twice
  }
  settle(shop.world, std::move(running->reservation), 50);
  CHECK(shop.day().used == 251);
  CHECK(shop.day().reserved == 0);
}

TEST_CASE("M23: what another replica's ledger was read for is not filled from an older reading") {
  policies::RedisTerms of = terms();
  int lost = 0;
  of.on_lost = [&lost] { ++lost; };
  Shop early(of);
  early.world.clock.time += minutes(1);
  Shop late(of);
  late.world.clock.time += minutes(1);
  late.world.shared->books_are_read(late.world.clock.time);
  spend(late.world, late.scopes, 10);
  CHECK(lost == 0);
  Scope fresh = tenant("fresh");
  early.world.store->attach(fresh);
  const std::array<const Scope*, 1> scopes{&fresh};
  auto unsure = reserve(early.world, ask(scopes, 0));
  REQUIRE(unsure);  // it has no budget
  settle(early.world, std::move(unsure->reservation), 5);
  CHECK(lost == 1);
  CHECK(early.world.shared->counts().unfinished == 1);
  early.world.shared->books_are_read(early.world.clock.time);
  finish(early.world.redis().keep_up());
  CHECK(early.world.shared->counts().unfinished == 0);
  CHECK(lost == 1);
}

TEST_CASE("M23: each ledger's sums are added once") {
  const policies::RedisTerms of = terms();
  for (int start = 0; start < 2; ++start) {
    for (const char* ledger : {"one", "two"}) {
      policies::RedisTerms own = of;
      own.ledger = ledger;
      Shop shop(own);
      shop.world.store->restore(shop.acme, shop.world.clock.time, 100);
      shop.day();
    }
  }
  Shop shop(of);
  CHECK(shop.day().used == 200);
}

TEST_CASE("M9: a denial is remembered for as large a call, for seconds, until an end or a reload") {
  policies::RedisTerms of = terms();
  of.remember = seconds(5);
  Shop shop(std::move(of));
  spend(shop.world, shop.scopes, 900);
  const auto asked = [&](NanoUsd bound) {
    const std::uint64_t before = shop.world.port.calls;
    auto verdict = reserve(shop.world, ask(shop.scopes, bound));
    if (verdict) settle(shop.world, std::move(verdict->reservation), 0);
    return shop.world.port.calls - before;
  };
  CHECK(asked(200) == 1);
  CHECK(asked(200) == 0);
  CHECK(asked(150) == 1);  // smaller: it might have fitted
  CHECK(asked(150) == 0);
  shop.world.clock.time += seconds(5);
  CHECK(asked(200) == 1);
  shop.world.store->forget_denials();
  CHECK(asked(200) == 1);
  CHECK(asked(50) == 2);  // passes, and its end gives others hope
  CHECK(asked(200) == 1);
}

TEST_CASE("M21: in Cluster the model is a step of its own, undone where it denies") {
  policies::RedisTerms of = terms();
  of.cluster = true;
  Shop shop(std::move(of));
  Scope m = model("m");
  m.budgets = {budget(500)};
  shop.world.store->attach(m);
  const std::array<const Scope*, 3> scopes{&shop.k, &shop.acme, &m};
  const auto denied = reserve(shop.world, ask(scopes, 600));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().scope == "model:m");
  CHECK(denied.error().kind == DenialKind::budget_exceeded);
  CHECK(shop.day().reserved == 0);
  auto call = reserve(shop.world, ask(scopes, 400));
  REQUIRE(call);
  CHECK(reading(shop.world, m, "usd", "day").reserved == 400);
  REQUIRE(result_of(shop.world.store->extend(*call->reservation, 450)));
  CHECK_FALSE(result_of(shop.world.store->extend(*call->reservation, 550)));
  settle(shop.world, std::move(call->reservation), 30);
  for (const Scope* scope : {&shop.acme, &m}) {
    CHECK(reading(shop.world, *scope, "usd", "day").used == 30);
    CHECK(reading(shop.world, *scope, "usd", "day").reserved == 0);
  }
}

TEST_CASE("M15: beyond the most users the rest share a bucket") {
  policies::RedisTerms of = terms();
  of.users_max = 3;
  Shop shop(std::move(of));
  shop.acme.per_user = LimitRule{.requests_per_minute = 1};
  const auto passes = [&](const std::string& user) {
    Ask asked = ask(shop.scopes, 0);
    asked.user = user;
    auto verdict = reserve(shop.world, asked);
    if (verdict) settle(shop.world, std::move(verdict->reservation), 0);
    return verdict.has_value();
  };
  for (const char* user : {"a", "b", "c", "one more"})
    CHECK(passes(user));
  CHECK_FALSE(passes("and another"));
  CHECK_FALSE(passes("a"));
  shop.world.clock.time += std::chrono::hours(2);
  CHECK(passes("x"));
  CHECK(passes("y"));
}

}  // namespace
}  // namespace tollgate::store_tests
