// A shop over a real Redis: what tests of the store's details share. Each has a prefix of its own.
#pragma once
#include "redis_world.hpp"

namespace tollgate::store_tests {

using net::test::RedisServer;
using policies::RedisStore;

inline const RedisServer& server() {
  static const RedisServer one;
  return one;
}

inline policies::RedisTerms terms() {
  static int made = 0;
  policies::RedisTerms terms;
  terms.prefix = "details" + std::to_string(++made);
  terms.remember = milliseconds(0);
  return terms;
}

/// Runs what never waits.
inline void finish(Task<void> task) {
  bool done = false;
  start(std::move(task), [&done](const std::exception_ptr& thrown) { done = !thrown; });
  REQUIRE(done);
}

/// A tenant with a budget of 1,000 a day, and its key.
struct Shop {
  explicit Shop(policies::RedisTerms of = terms()) : world(server(), std::move(of)) {
    acme.budgets = {budget(1000)};
    world.store->attach(acme);
    world.store->attach(k);
    finish(world.redis().keep_up());  // as a worker begins
  }
  Reading day() { return reading(world, acme, "usd", "day"); }
  /// Another replica of the same store.
  std::unique_ptr<RedisStore> replica() {
    return std::make_unique<RedisStore>(*world.shared, &other);
  }
  RedisWorld world;
  PlainPort other{server().port()};
  Scope acme = tenant("acme"), k = key("k", "acme");
  std::array<const Scope*, 2> scopes{&k, &acme};
};

}  // namespace tollgate::store_tests
