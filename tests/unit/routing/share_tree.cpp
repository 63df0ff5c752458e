// Whose turn it is: shares by weight, of tenants and of their families.
#include "routing/share_tree.hpp"

#include <deque>
#include <doctest/doctest.h>
#include <map>

#include "routing/provider_limit.hpp"
#include "tests/unit/routing/waiting_support.hpp"

namespace tollgate::routing {
namespace {
using namespace test;
using namespace std::chrono_literals;
}  // namespace

TEST_CASE("waiting line: shares by weight, also of one that hangs up and comes again") {
  const Provider provider({.concurrent = 1});
  Pass running = provider.run(start);
  const std::map<std::string, std::uint32_t> weights{{"a", 1}, {"b", 2}, {"c", 5}};
  std::map<std::string, std::deque<std::shared_ptr<TestWaiter>>> waiting;
  std::map<std::string, int> served;
  for (int turn = 0; turn < 800; ++turn) {
    for (const auto& [tenant, weight] : weights) {
      while (waiting[tenant].size() < 3)
        waiting[tenant].push_back(provider.wait(tenant, start, weight));
    }
    // Giving up neither costs a share nor wins one.
    if (turn % 3 == 0) {
      CHECK_FALSE(waiting["b"].back()->leave(start));
      waiting["b"].pop_back();
    }
    provider.end(running, start);
    for (auto& [tenant, line] : waiting) {
      if (line.front()->state() != State::called) continue;
      REQUIRE(line.front()->leave(start));
      running = line.front()->pass();
      line.pop_front();
      ++served[tenant];
    }
  }
  CHECK(std::abs(served["a"] - 100) <= 1);
  CHECK(std::abs(served["b"] - 200) <= 2);
  CHECK(std::abs(served["c"] - 500) <= 3);
}

TEST_CASE("waiting line: a call of one waits no longer than one service and its share") {
  const Provider provider({.concurrent = 1});
  Pass running = provider.run(start);
  std::deque<std::shared_ptr<TestWaiter>> burst;
  for (int i = 0; i < 1000; ++i)
    burst.push_back(provider.wait("loud", start));
  SteadyTime now = start;
  // Each service takes a second. The burst has been served for a while when the other comes.
  const auto serve = [&] {
    now += 1s;
    provider.end(running, now);
  };
  for (int i = 0; i < 10; ++i) {
    serve();
    REQUIRE(burst.front()->leave(now));
    running = burst.front()->pass();
    burst.pop_front();
  }
  const SteadyTime came = now + 500ms;
  const auto alone = provider.wait("quiet", came);
  while (alone->state() == State::waiting) {
    serve();
    if (alone->state() == State::called) break;
    REQUIRE(burst.front()->leave(now));
    running = burst.front()->pass();
    burst.pop_front();
  }
  // What was running, and at most one of the loud one's.
  CHECK(now - came <= 1500ms);
  CHECK(alone->leave(now));
  provider.end(alone->pass(), now);
  for (const auto& waiter : burst)
    waiter->leave(now);
}

TEST_CASE("waiting line: a family of ten has one share, and its members share that") {
  const Provider provider({.concurrent = 1});
  Pass running = provider.run(start);
  std::map<std::string, Shares> callers{{"single", {{"single", 1}}},
                                        {"heavy", {{"heavy", 2}}},
                                        {"family", {{"family", 1}}}};  // calls of its own
  for (int i = 0; i < 9; ++i) {
    const std::string name = "child" + std::to_string(i);
    callers[name] = {{"family", 1}, {name, i == 0 ? 6U : 1U}};
  }
  callers["grandchild"] = {{"family", 1}, {"child1", 1}, {"grandchild", 1}};
  std::map<std::string, std::deque<std::shared_ptr<TestWaiter>>> waiting;
  std::map<std::string, int> served;
  for (int turn = 0; turn < 6000; ++turn) {
    for (const auto& [name, shares] : callers) {
      while (waiting[name].size() < 2)
        waiting[name].push_back(provider.wait(shares, start));
    }
    provider.end(running, start);
    for (auto& [name, line] : waiting) {
      if (line.front()->state() != State::called) continue;
      REQUIRE(line.front()->leave(start));
      running = line.front()->pass();
      line.pop_front();
      ++served[name];
    }
  }
  const auto near = [&](const std::string& name, int expected) {
    INFO(name);
    CHECK(std::abs(served[name] - expected) <= 3);
  };
  near("heavy", 3000);
  near("single", 1500);
  // The family's 1500 by fifteen: one for its own calls, six for the first, one for each other.
  near("family", 100);
  near("child0", 600);
  near("child8", 100);
  near("child1", 50);
  near("grandchild", 50);
  for (const auto& [name, line] : waiting) {
    for (const auto& waiter : line)
      waiter->leave(start);
  }
  CHECK(provider.limit->line().size() == 0);
}

TEST_CASE("waiting line: a family's burst delays no call of another, nor of its quiet member") {
  const Provider provider({.concurrent = 1});
  Pass running = provider.run(start);
  std::deque<std::shared_ptr<TestWaiter>> burst;
  for (int i = 0; i < 1000; ++i)
    burst.push_back(provider.wait({{"family", 1}, {"loud" + std::to_string(i % 10), 1}}, start));
  int services = 0;
  const auto serve = [&] {
    provider.end(running, start + std::chrono::seconds(++services));
    for (auto at = burst.begin(); at != burst.end(); ++at) {
      if ((*at)->state() != State::called) continue;
      REQUIRE((*at)->leave(start));
      running = (*at)->pass();
      burst.erase(at);
      return;
    }
  };
  for (int i = 0; i < 25; ++i)
    serve();
  const auto other = provider.wait("other", start + 25s);
  while (other->state() == State::waiting)
    serve();
  CHECK(services <= 27);
  CHECK(other->leave(start));
  running = other->pass();
  const auto quiet = provider.wait({{"family", 1}, {"quiet", 1}}, start + 27s);
  while (quiet->state() == State::waiting)
    serve();
  CHECK(services <= 27 + 11);  // at most one turn of each of its ten
  CHECK(quiet->leave(start));
  provider.end(quiet->pass(), start);
  for (const auto& waiter : burst)
    waiter->leave(start);
}

}  // namespace tollgate::routing
