#include "routing/turns.hpp"

#include <doctest/doctest.h>

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Turn = Turns::Turn;

const SteadyTime start{seconds(1000)};
const RetryRules rules{.attempts = 9, .base = milliseconds(100), .cap = milliseconds(800)};

std::shared_ptr<const ProviderEntry> provider() {
  auto entry = std::make_shared<ProviderEntry>();
  entry->name = "p";
  return entry;
}

/// Targets `names` at one provider, repeated within `budget`.
std::vector<Target> targets(const std::vector<std::string>& names, RetryBudget* budget) {
  std::vector<Target> made;
  const auto at = provider();
  for (const std::string& name : names)
    made.push_back({.provider = at, .model = name, .health = {}, .repeats = budget});
  return made;
}

Error error(ErrorKind kind, std::optional<milliseconds> asked = {}) {
  Error made = make_error(kind, "m");
  made.upstream_status = made.status;
  made.asked_wait = asked;
  return made;
}

std::optional<std::size_t> place(const std::optional<Turn>& turn) {
  return turn ? std::optional(turn->target) : std::nullopt;
}

const Error busy = error(ErrorKind::upstream_overloaded);
const Error refused = error(ErrorKind::upstream_auth);

}  // namespace

TEST_CASE("each target once and at once, then the one that may be asked first again") {
  RetryBudget budget(200);
  Turns turns(targets({"a", "b", "c"}, &budget), rules, "id");
  CHECK(place(turns.next(start)) == 0);
  turns.failed(0, {error(ErrorKind::upstream_rate_limited, seconds(3)), Phase::replying}, start);
  const auto second = turns.next(start);
  CHECK(place(second) == 1);
  CHECK(second->at == start);
  CHECK_FALSE(second->repeat);
  turns.failed(1, {refused, Phase::replying}, start);
  CHECK(place(turns.next(start)) == 2);
  turns.failed(2, {error(ErrorKind::upstream_rate_limited, seconds(2)), Phase::replying}, start);

  auto third = turns.next(start);
  CHECK(place(third) == 2);
  CHECK(third->at == start + seconds(2));
  CHECK(third->repeat);
  turns.failed(2, {refused, Phase::replying}, start + seconds(2));
  third = turns.next(start + seconds(2));
  CHECK(place(third) == 0);
  CHECK(third->at == start + seconds(3));
  turns.failed(0, {refused, Phase::replying}, start + seconds(3));
  CHECK_FALSE(turns.next(start + seconds(3)));
}

TEST_CASE("what was refused for good is not asked again under another number") {
  RetryBudget budget(200);
  Turns turns(targets({"a", "a", "b"}, &budget), rules, "id");
  CHECK(place(turns.next(start)) == 0);
  turns.failed(0, {refused, Phase::replying}, start);
  CHECK(place(turns.next(start)) == 2);

  Turns passing(targets({"a", "a"}, &budget), rules, "id");
  CHECK(place(passing.next(start)) == 0);
  passing.failed(0, {busy, Phase::replying}, start);
  CHECK(place(passing.next(start)) == 1);
}

TEST_CASE("a backoff grows, and what a provider asked for wins over it") {
  RetryBudget budget(1000);
  Turns turns(targets({"a"}, &budget), rules, "id");
  REQUIRE(turns.next(start));
  milliseconds most(100);
  for (std::uint32_t tries = 1; tries < 6; ++tries) {
    turns.failed(0, {busy, Phase::replying}, start);
    const auto turn = turns.next(start);
    REQUIRE(turn);
    CHECK(turn->at - start <= std::min(most, rules.cap));
    CHECK(turn->at == start + backoff(rules, tries - 1, draw_of("id", tries)));
    most *= 2;
  }
  // A 503's default hint for the client is none of the provider's.
  turns.failed(0, {error(ErrorKind::upstream_overloaded, seconds(30)), Phase::replying}, start);
  CHECK(turns.next(start)->at == start + seconds(30));
  turns.failed(0, {error(ErrorKind::upstream_overloaded, seconds(0)), Phase::replying}, start);
  CHECK(turns.next(start)->at <= start + rules.cap);
}

TEST_CASE("no repeat beyond the target's budget, and none without one") {
  RetryBudget budget(1);
  while (budget.take(start)) {
  }
  Turns turns(targets({"a"}, &budget), rules, "id");
  REQUIRE(turns.next(start));
  turns.failed(0, {busy, Phase::replying}, start);
  CHECK_FALSE(turns.next(start));
  CHECK(turns.over_budget());

  Turns once(targets({"a"}, nullptr), rules, "id");
  REQUIRE(once.next(start));
  once.failed(0, {busy, Phase::replying}, start);
  CHECK_FALSE(once.next(start));
  CHECK_FALSE(once.over_budget());
}

TEST_CASE("another key of the provider is asked at once and is no repeat") {
  for (const ErrorKind kind :
       {ErrorKind::upstream_auth, ErrorKind::upstream_quota, ErrorKind::upstream_rate_limited}) {
    std::vector<Target> keys = targets({"a", "a"}, nullptr);
    keys[1].key = 1;
    Turns turns(keys, rules, "id");
    REQUIRE(turns.next(start));
    const Error failed = error(kind, seconds(9));
    turns.failed(0, {.error = failed, .phase = Phase::replying}, start);
    const auto turn = turns.next(start);
    REQUIRE(turn);
    CHECK((turn->target == 1 && turn->at == start && !turn->repeat));
    turns.failed(1, {.error = failed, .phase = Phase::replying}, start);
    CHECK_FALSE(turns.next(start));
  }
}

TEST_CASE("what could not begin is not tried again") {
  RetryBudget budget(200);
  Turns turns(targets({"a"}, &budget), rules, "id");
  REQUIRE(turns.next(start));
  turns.failed(0, {.error = busy, .begun = false}, start);
  CHECK_FALSE(turns.next(start));
}

TEST_CASE("one that is called up comes out of order, and only once") {
  RetryBudget budget(200);
  Turns turns(targets({"a", "b", "c"}, &budget), rules, "id");
  CHECK(place(turns.next(start)) == 0);  // stands there, but has to wait
  CHECK(turns.call(2).target == 2);
  turns.failed(2, {refused, Phase::replying}, start);
  for (const std::size_t other : {0U, 1U}) {
    CHECK(place(turns.next(start)) == other);
    turns.failed(other, {refused, Phase::replying}, start);
  }
  CHECK_FALSE(turns.next(start));
}

}  // namespace tollgate::routing
