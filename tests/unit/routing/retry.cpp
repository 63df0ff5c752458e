#include "routing/retry.hpp"

#include <doctest/doctest.h>
#include <set>

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Error error(ErrorKind kind, int status = 0) {
  Error made = make_error(kind, "m");
  made.upstream_status = status;
  return made;
}

/// Repeats that are allowed at `now` before the first refusal, at most `most`.
int allowed(RetryBudget& budget, SteadyTime now, int most) {
  int count = 0;
  while (count < most && budget.take(now))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("what may follow depends on how far the attempt had come, and how often") {
  const Error broken = error(ErrorKind::upstream_error, 500);
  CHECK(after_failure(broken, Phase::replying, 1) == Retry::same_or_other);
  CHECK(after_failure(broken, Phase::replying, 9) == Retry::same_or_other);
  CHECK(after_failure(broken, Phase::shown, 1) == Retry::never);
  CHECK(after_failure(error(ErrorKind::client_gone), Phase::waiting, 1) == Retry::never);
  CHECK(after_failure(error(ErrorKind::upstream_auth, 401), Phase::replying, 1) ==
        Retry::other_target);

  // Silence may have been work: once more, then elsewhere. A connection that never came was none.
  const Error slow = error(ErrorKind::upstream_timeout);
  CHECK(after_failure(slow, Phase::waiting, 1) == Retry::same_or_other);
  CHECK(after_failure(slow, Phase::waiting, 2) == Retry::other_target);
  CHECK(after_failure(slow, Phase::connecting, 2) == Retry::same_or_other);
  CHECK(after_failure(error(ErrorKind::upstream_timeout, 504), Phase::replying, 2) ==
        Retry::same_or_other);
  CHECK(after_failure(error(ErrorKind::stream_cut), Phase::replying, 1) == Retry::same_or_other);
  CHECK(after_failure(error(ErrorKind::stream_cut), Phase::replying, 2) == Retry::other_target);
}

TEST_CASE("a backoff lies anywhere between nothing and its growing, capped limit") {
  const RetryRules rules{.attempts = 9, .base = milliseconds(100), .cap = milliseconds(500)};
  const std::vector<int> most{100, 200, 400, 500, 500};
  for (std::uint32_t repeats = 0; repeats < most.size(); ++repeats) {
    const auto limit = static_cast<std::uint64_t>(most[repeats]);
    CHECK(backoff(rules, repeats, 0) == milliseconds(0));
    CHECK(backoff(rules, repeats, limit) == milliseconds(limit));
    CHECK(backoff(rules, repeats, limit + 1) == milliseconds(0));
  }
  CHECK(backoff(rules, 4'000'000'000U, ~std::uint64_t{0}) <= rules.cap);
  CHECK(backoff({.attempts = 9, .base = milliseconds(0), .cap = milliseconds(5)}, 3, 4) ==
        milliseconds(0));
  CHECK(backoff({.attempts = 9, .base = milliseconds(9), .cap = milliseconds(5)}, 0, 5) ==
        milliseconds(5));
}

TEST_CASE("calls that fail together do not come back together") {
  std::set<milliseconds> waits;
  const RetryRules rules;
  for (int call = 0; call < 1000; ++call)
    waits.insert(backoff(rules, 0, draw_of("id-" + std::to_string(call), 1)));
  CHECK(waits.size() > 200);
  CHECK(draw_of("id", 1) == draw_of("id", 1));
  CHECK(draw_of("id", 1) != draw_of("id", 2));
}

TEST_CASE("an idle target may be repeated ten times a second") {
  RetryBudget budget(200);
  const SteadyTime now{seconds(1000)};
  CHECK(allowed(budget, now, 99) == 10);
  CHECK(allowed(budget, now + milliseconds(999), 99) == 0);
  CHECK(allowed(budget, now + seconds(1), 99) == 10);
}

TEST_CASE("a busy target may be repeated for a share of its recent traffic") {
  RetryBudget budget(200);
  const SteadyTime now{seconds(1000)};
  for (int i = 0; i < 1000; ++i)
    budget.note(now + milliseconds(i));
  CHECK(allowed(budget, now + seconds(1), 999) == 200);
  CHECK(allowed(budget, now + seconds(2), 999) == 10);  // the floor is each second's own
  // Ten seconds later that traffic counts no more, nor do its repeats.
  CHECK(allowed(budget, now + seconds(10), 999) == 10);
  for (int i = 0; i < 100; ++i)
    budget.note(now + seconds(100));
  CHECK(allowed(budget, now + seconds(100), 999) == 20);
}

}  // namespace tollgate::routing
