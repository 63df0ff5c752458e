#include "redis_world.hpp"
#include "store_laws.hpp"

namespace tollgate::store_tests {
namespace {

using net::test::RedisServer;

/// Worlds of one server, each behind a prefix of its own. Nothing is remembered: the laws ask as
/// if each call came through another replica.
MakeWorld over(const RedisServer& server) {
  return [&server, made = 0]() mutable -> std::unique_ptr<World> {
    policies::RedisTerms terms;
    terms.prefix = "world" + std::to_string(++made);
    terms.remember = milliseconds(0);
    return std::make_unique<RedisWorld>(server, std::move(terms));
  };
}

void hold_to(std::span<const Law> laws) {
  const RedisServer server;
  const MakeWorld make = over(server);
  for (const Law& law : laws) {
    CAPTURE(law.name);
    law.check(make);
  }
}

TEST_CASE("the store over Redis keeps the laws of budgets") { hold_to(budget_laws()); }
TEST_CASE("the store over Redis keeps the laws of limits") { hold_to(limit_laws()); }
TEST_CASE("the store over Redis keeps the laws over random histories") { hold_to(random_laws()); }

}  // namespace
}  // namespace tollgate::store_tests
