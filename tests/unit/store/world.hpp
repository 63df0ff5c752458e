// What the laws of stores stand on: a clock that is set by hand, one store under test whatever it
// is made of, and short ways to build scopes and to ask. Used by the tests of every store; one
// thread.
#pragma once
#include <doctest/doctest.h>
#include <functional>
#include <utility>

#include "gateway/core/store.hpp"

namespace tollgate::store_tests {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct HandClock final : Clock {
  SystemTime time = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4) + std::chrono::hours(10);
  [[nodiscard]] SystemTime system() const override { return time; }
  [[nodiscard]] SteadyTime steady() const override { return SteadyTime(time.time_since_epoch()); }
};

/// A store and the clock that it goes by.
struct World {
  HandClock clock;
  std::unique_ptr<Store> store;
  std::uint64_t calls = 0;
  virtual ~World() = default;
};
/// A fresh, empty one.
using MakeWorld = std::function<std::unique_ptr<World>()>;

/// What a task brings that never waits.
template <class T>
T result_of(Task<T> task) {
  std::optional<T> got;
  start(std::move(task), [&got](const std::exception_ptr& thrown, T value) {
    REQUIRE(!thrown);
    got.emplace(std::move(value));
  });
  REQUIRE(got.has_value());
  return std::move(*got);
}

inline Scope tenant(std::string name, std::string root = {}) {
  Scope scope;
  scope.name = scope.tenant = std::move(name);
  scope.root = root.empty() ? scope.name : std::move(root);
  return scope;
}
inline Scope key(std::string id, std::string of, std::string root = {}) {
  Scope scope = tenant(std::move(of), std::move(root));
  scope.kind = ScopeKind::key;
  scope.name = std::move(id);
  return scope;
}
inline Scope model(std::string name) {
  Scope scope;
  scope.kind = ScopeKind::model;
  scope.name = std::move(name);
  return scope;
}
inline BudgetRule budget(NanoUsd ceiling, Per per = Per::day) {
  BudgetRule rule;
  rule.ceiling = ceiling;
  rule.per = per;
  return rule;
}

/// A call that costs at most `bound` and is never cut.
inline Ask ask(std::span<const Scope* const> scopes, NanoUsd bound, std::uint64_t tokens = 0) {
  return {.id = {},
          .scopes = scopes,
          .user = {},
          .tokens = tokens,
          .bound = bound,
          .estimate = bound,
          .floor = bound};
}

/// Each call has an id of its own.
inline Verdict reserve(World& world, const Ask& of) {
  const std::string id = "r" + std::to_string(++world.calls);
  Ask numbered = of;
  numbered.id = id;
  return result_of(world.store->reserve(numbered));
}
inline std::vector<Crossing> settle(World& world, std::unique_ptr<Reservation> reservation,
                                    NanoUsd charged, std::uint64_t tokens = 0) {
  return result_of(
      world.store->settle(std::move(reservation), {.tokens = tokens, .charged = charged}));
}
/// Reserves and settles at once.
inline void spend(World& world, std::span<const Scope* const> scopes, NanoUsd amount) {
  auto verdict = reserve(world, ask(scopes, amount));
  REQUIRE(verdict);
  settle(world, std::move(verdict->reservation), amount);
}
/// The one line of GET /v1/usage that says this of a scope.
inline Reading reading(World& world, const Scope& scope, std::string_view what,
                       std::string_view per) {
  const std::array<const Scope*, 1> scopes{&scope};
  const auto lines = result_of(world.store->read(scopes, {}));
  REQUIRE(lines);
  for (const Reading& line : *lines) {
    if (line.what == what && line.per == per) return line;
  }
  FAIL("no such reading: " << what << " per " << per);
  return {};
}

}  // namespace tollgate::store_tests
