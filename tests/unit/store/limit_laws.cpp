#include <array>

#include "store_laws.hpp"

namespace tollgate::store_tests {
namespace {

/// A key and its tenant; what they are limited by is set by each law.
struct Gate {
  explicit Gate(const MakeWorld& make) : world(make()) {
    world->store->attach(of_tenant);
    world->store->attach(of_key);
  }
  std::unique_ptr<World> world;
  Scope of_tenant = tenant("acme"), of_key = key("k", "acme");
  std::array<const Scope*, 2> scopes{&of_key, &of_tenant};

  Verdict asks(std::uint64_t tokens, std::string_view user = {}) {
    Ask made = ask(scopes, 0, tokens);
    made.user = user;
    return reserve(*world, made);
  }
  /// Asks and ends at once as foreseen.
  bool passes(std::uint64_t tokens, std::string_view user = {}) {
    auto verdict = asks(tokens, user);
    if (verdict) settle(*world, std::move(verdict->reservation), 0, tokens);
    return verdict.has_value();
  }
};

void requests_by_the_minute(const MakeWorld& make) {
  Gate gate(make);
  gate.of_key.limits.requests_per_minute = 6;
  for (int i = 0; i < 6; ++i)
    CHECK(gate.passes(0));
  const auto denied = gate.asks(0);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::requests);
  CHECK(denied.error().scope == "key:k");
  CHECK(denied.error().limit == 6);
  CHECK(denied.error().used == 6);
  CHECK(denied.error().retry_after == seconds(10));
  gate.world->clock.time += seconds(10) - microseconds(1);
  CHECK_FALSE(gate.passes(0));
  gate.world->clock.time += microseconds(1);
  CHECK(gate.passes(0));
  CHECK_FALSE(gate.passes(0));
}

void burst_makes_it_smaller(const MakeWorld& make) {
  Gate gate(make);
  gate.of_key.limits.requests_per_minute = 60;
  gate.of_key.limits.burst = seconds(2);
  CHECK(gate.passes(0));
  CHECK(gate.passes(0));
  CHECK_FALSE(gate.passes(0));
}

void larger_than_the_bucket(const MakeWorld& make) {
  Gate gate(make);
  gate.of_tenant.limits.tokens_per_minute = 600;
  CHECK(gate.passes(1800));
  const auto denied = gate.asks(1);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::tokens);
  CHECK(denied.error().retry_after == milliseconds(120'100));
  gate.world->clock.time += minutes(3) - microseconds(1);
  CHECK_FALSE(gate.passes(601));  // not quite full
  gate.world->clock.time += microseconds(1);
  CHECK(gate.passes(601));
}

void truth_replaces_the_estimate(const MakeWorld& make) {
  Gate gate(make);
  gate.of_tenant.limits.tokens_per_minute = 1000;
  auto call = gate.asks(800);
  REQUIRE(call);
  CHECK(call->room.scope == "tenant:acme");
  CHECK(call->room.limit_tokens == 1000);
  CHECK(call->room.remaining_tokens == 200);
  CHECK(call->room.reset_tokens == seconds(48));
  settle(*gate.world, std::move(call->reservation), 0, 100);
  CHECK(reading(*gate.world, gate.of_tenant, "tokens", "minute").used == 100);
  auto larger = gate.asks(100);
  settle(*gate.world, std::move(larger->reservation), 0, 1500);
  CHECK(reading(*gate.world, gate.of_tenant, "tokens", "minute").used == 1600);
  CHECK_FALSE(gate.passes(1));
}

void the_truth_counts_when_it_is_known(const MakeWorld& make) {
  Gate gate(make);
  gate.of_tenant.limits.tokens_per_minute = 1000;
  auto call = gate.asks(100);
  REQUIRE(call);
  gate.world->clock.time += minutes(1);
  settle(*gate.world, std::move(call->reservation), 0, 1100);
  CHECK(reading(*gate.world, gate.of_tenant, "tokens", "minute").used == 1000);
}

void places_come_back(const MakeWorld& make) {
  Gate gate(make);
  gate.of_tenant.limits.concurrent = 2;
  auto first = gate.asks(0), second = gate.asks(0);
  REQUIRE(first);
  REQUIRE(second);
  const auto denied = gate.asks(0);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == DenialKind::concurrent);
  CHECK(denied.error().limit == 2);
  settle(*gate.world, std::move(first->reservation), 0);
  CHECK(gate.passes(0));
  settle(*gate.world, std::move(second->reservation), 0);
  CHECK(reading(*gate.world, gate.of_tenant, "concurrent", "").used == 0);
}

void all_or_none(const MakeWorld& make) {
  Gate gate(make);
  gate.of_key.limits = {.requests_per_minute = 10, .tokens_per_minute = 1000, .concurrent = 9};
  gate.of_tenant.limits.concurrent = 1;
  auto running = gate.asks(100);
  REQUIRE(running);
  CHECK_FALSE(gate.passes(100));
  CHECK(reading(*gate.world, gate.of_key, "requests", "minute").used == 1);
  CHECK(reading(*gate.world, gate.of_key, "tokens", "minute").used == 100);
  CHECK(reading(*gate.world, gate.of_key, "concurrent", "").used == 1);
  settle(*gate.world, std::move(running->reservation), 0, 100);
}

void users_apart(const MakeWorld& make) {
  Gate gate(make);
  gate.of_tenant.per_user = LimitRule{.requests_per_minute = 1};
  CHECK(gate.passes(0, "alice"));
  const auto denied = gate.asks(0, "alice");
  REQUIRE_FALSE(denied);
  CHECK(denied.error().scope == "user:alice");
  CHECK(gate.passes(0, "bob"));
  CHECK(gate.passes(0));
  CHECK_FALSE(gate.passes(0));
}

void a_reload_changes_the_running_bucket(const MakeWorld& make) {
  Gate gate(make);
  gate.of_key.limits.requests_per_minute = 2;
  CHECK(gate.passes(0));
  CHECK(gate.passes(0));
  CHECK_FALSE(gate.passes(0));
  Scope raised = key("k", "acme");
  raised.limits.requests_per_minute = 3;
  CHECK_FALSE(gate.world->store->attach(raised));
  gate.scopes[0] = &raised;
  CHECK(gate.passes(0));
  CHECK_FALSE(gate.passes(0));
}

void limits_that_only_warn(const MakeWorld& make) {
  Gate gate(make);
  gate.of_key.limits = {.requests_per_minute = 1, .enforce = false};
  CHECK(gate.passes(0));
  auto passes = gate.asks(0);
  REQUIRE(passes);
  CHECK(passes->would_deny == "key:k");
  settle(*gate.world, std::move(passes->reservation), 0);
}

void a_clock_set_back_stops_no_bucket(const MakeWorld& make) {
  Gate gate(make);
  gate.of_key.limits.requests_per_minute = 1;
  CHECK(gate.passes(0));
  gate.world->clock.time -= std::chrono::hours(5);
  CHECK_FALSE(gate.passes(0));
  gate.world->clock.time += minutes(1);
  CHECK(gate.passes(0));
}

}  // namespace

std::span<const Law> limit_laws() {
  static const std::array laws{
      Law{"requests drain to the microsecond", requests_by_the_minute},
      Law{"`burst` makes a bucket smaller", burst_makes_it_smaller},
      Law{"M15: what is larger than its bucket passes a full one and leaves debt",
          larger_than_the_bucket},
      Law{"M15: the truth replaces the estimate", truth_replaces_the_estimate},
      Law{"M15: a long call's truth is not drained before it is known",
          the_truth_counts_when_it_is_known},
      Law{"concurrent calls give their places back", places_come_back},
      Law{"M14: all scopes are charged or none", all_or_none},
      Law{"M15: users have buckets of their own", users_apart},
      Law{"a reload changes the running bucket", a_reload_changes_the_running_bucket},
      Law{"M18: limits that only warn", limits_that_only_warn},
      Law{"a clock set back stops no bucket", a_clock_set_back_stops_no_bucket},
  };
  return laws;
}

}  // namespace tollgate::store_tests
