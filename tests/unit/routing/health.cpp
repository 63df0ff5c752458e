#include "routing/health.hpp"

#include <doctest/doctest.h>
#include <thread>

namespace tollgate::routing {
namespace {

using namespace std::chrono_literals;

/// One target and a clock that only moves when it is told to.
struct Lab {
  TargetHealth health;
  SteadyTime now{1h};

  explicit Lab(BreakerRules rules = {}, std::size_t keys = 1) : health("p", "m", keys) {
    health.set_rules(rules);
  }
  bool let_in(Pass& pass, std::uint32_t key = 0) {
    Availability refused;
    const auto entered = health.enter(key, now, refused);
    if (entered) pass = *entered;
    CHECK(entered.has_value() == refused.usable());
    return entered.has_value();
  }
  /// False: not let in.
  bool call(Verdict verdict, std::uint32_t key = 0,
            std::optional<std::chrono::milliseconds> retry_after = {}) {
    Pass pass;
    if (!let_in(pass, key)) return false;
    health.leave(pass, {.verdict = verdict, .retry_after = retry_after, .error = "e"}, now);
    return true;
  }
  void calls(int count, Verdict verdict) {
    for (int i = 0; i < count; ++i)
      REQUIRE(call(verdict));
  }
  BreakerState state() { return health.snapshot(now).state; }
};

}  // namespace

TEST_CASE("what opens a breaker and what does not") {
  using enum Verdict;
  struct Row {
    std::vector<std::pair<int, Verdict>> calls;
    bool opens;
  };
  const std::vector<Row> rows{
      {{{4, failed}}, false},
      {{{5, failed}}, true},
      {{{4, failed}, {1, good}, {4, failed}}, false},
      {{{100, rate_limited}}, false},
      {{{100, nothing}}, false},
      {{{4, failed}, {50, nothing}, {1, failed}}, true},  // what says nothing ends no row
      {{{1, bad_key}}, true},
      {{{1, no_credit}}, true},
      // The share of failures: only of 20 calls or more.
      {{{2, good}, {4, failed}, {1, good}, {4, failed}, {1, good}, {4, failed}}, false},
      {{{5, good}, {4, failed}, {1, good}, {4, failed}, {4, good}, {2, failed}}, true},
      {{{6, good}, {4, failed}, {1, good}, {4, failed}, {4, good}, {1, failed}}, false},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    Lab lab;
    for (const auto& [count, verdict] : rows[i].calls) {
      for (int n = 0; n < count; ++n) {
        // A key that rests refuses by itself; that is another test's matter.
        lab.call(verdict, verdict == rate_limited ? TargetHealth::foreign_key : 0);
      }
    }
    CHECK((lab.state() == BreakerState::open) == rows[i].opens);
  }
}

TEST_CASE("failures that lie further back than the window do not count") {
  Lab lab({.failures = 1000, .window = 10s});
  lab.calls(19, Verdict::failed);
  lab.now += 11s;
  lab.calls(19, Verdict::failed);
  CHECK(lab.state() == BreakerState::closed);
  lab.now += 5s;
  lab.calls(1, Verdict::failed);
  CHECK(lab.state() == BreakerState::open);
}

TEST_CASE("an open breaker lets one probe through at a time and waits twice as long each time") {
  Lab lab({.open_for = 30s, .max_open_for = 100s});
  lab.calls(5, Verdict::failed);
  for (const auto wait : {30s, 60s, 100s, 100s}) {
    const Availability rests = lab.health.look(lab.now);
    CHECK(rests.rest == Rest::broken);
    CHECK(rests.until == lab.now + wait);
    lab.now += wait - 1ns;
    CHECK_FALSE(lab.call(Verdict::good));
    lab.now += 1ns;
    CHECK(lab.health.look(lab.now).usable());
    Pass probe, other;
    REQUIRE(lab.let_in(probe));
    CHECK(probe.probe);
    CHECK_FALSE(lab.let_in(other));
    CHECK_FALSE(lab.health.look(lab.now).usable());
    lab.health.leave(probe, {.verdict = Verdict::failed}, lab.now);
  }
}

TEST_CASE("who listens hears of each opening and closing, with the reason") {
  std::vector<std::string> heard;
  const BreakerListener listener = [&heard](const BreakerChange& change) {
    heard.push_back(std::string(change.model) + ":" + std::string(change.reason) + ":" +
                    std::to_string(change.open_for.count()));
  };
  TargetHealth health("p", "m", 1);
  health.set_rules({.failures = 1, .open_for = 1s},
                   std::make_shared<const BreakerListener>(listener));
  SteadyTime now{1h};
  Availability refused;
  const auto call = [&](const TargetHealth::Report& report) {
    const auto pass = health.enter(0, now, refused);
    REQUIRE(pass);
    health.leave(*pass, report, now);
  };
  call({.verdict = Verdict::failed, .error = "ill"});
  now += 1s;
  call({.verdict = Verdict::failed, .error = "ill"});
  now += 2s;
  call({.verdict = Verdict::good});
  call({.verdict = Verdict::good});
  CHECK(heard == std::vector<std::string>{"m:ill:1000", "m:ill:2000", "m::0"});
}

TEST_CASE("a probe that its client left is no probe: the next call is one") {
  Lab lab;
  lab.calls(5, Verdict::failed);
  lab.now += 30s;
  CHECK(lab.call(Verdict::nothing));
  CHECK(lab.state() == BreakerState::open);
  Pass probe;
  REQUIRE(lab.let_in(probe));
  CHECK(probe.probe);
}

TEST_CASE("the first token of a probe closes the breaker; the share of calls then grows") {
  Lab lab({.slow_start = 10s});
  lab.calls(5, Verdict::failed);
  lab.now += 30s;
  Pass probe;
  REQUIRE(lab.let_in(probe));
  lab.health.first_token(probe, 1s, lab.now);
  CHECK(lab.state() == BreakerState::slow_start);
  const auto share = [&lab] {
    int taken = 0;
    for (std::uint32_t lot = 0; lot < 1024; ++lot)
      taken += lab.health.takes(lot, lab.now) ? 1 : 0;
    return taken * 100 / 1024;
  };
  CHECK(share() == 10);
  lab.now += 5s;
  CHECK(share() == 50);
  lab.now += 5s;
  CHECK(share() == 100);
  lab.health.leave(probe, {.verdict = Verdict::good}, lab.now);
  CHECK(lab.call(Verdict::good));
  CHECK(lab.state() == BreakerState::closed);
}

TEST_CASE("an outage right after an outage is taken to be longer, one after good times is not") {
  Lab lab;
  const auto fall = [&lab] {
    lab.calls(5, Verdict::failed);
    return lab.health.look(lab.now).until - lab.now;
  };
  CHECK(fall() == 30s);
  lab.now += 30s;
  CHECK(lab.call(Verdict::good));
  CHECK(fall() == 60s);
  lab.now += 60s;
  CHECK(lab.call(Verdict::good));
  lab.now += 10s;
  CHECK(lab.call(Verdict::good));
  CHECK(fall() == 30s);
}

TEST_CASE("replies that were under way when it opened change nothing") {
  Lab lab;
  Pass early, late;
  REQUIRE(lab.let_in(early));
  REQUIRE(lab.let_in(late));
  lab.calls(5, Verdict::failed);
  lab.health.leave(early, {.verdict = Verdict::good}, lab.now);
  lab.health.leave(late, {.verdict = Verdict::failed}, lab.now);
  CHECK(lab.state() == BreakerState::open);
  CHECK(lab.health.snapshot(lab.now).opened == 1);
  CHECK(lab.health.in_flight() == 0);
}

TEST_CASE("429 rests the key, not the target, for as long as the provider says") {
  Lab lab({}, 2);
  CHECK(lab.call(Verdict::rate_limited, 0, 20s));
  CHECK(lab.health.look(lab.now).usable());
  CHECK_FALSE(lab.call(Verdict::good, 0));
  for (int i = 0; i < 4; ++i)
    CHECK(lab.health.next_key(lab.now) == 1);
  CHECK(lab.call(Verdict::rate_limited, 1, 5s));
  CHECK(lab.health.look(lab.now).rest == Rest::limited);
  CHECK(lab.health.look(lab.now).until == lab.now + 5s);
  lab.now += 5s;
  CHECK(lab.health.look(lab.now).usable());
  lab.now += 15s;
  CHECK(lab.health.next_key(lab.now) != lab.health.next_key(lab.now));
}

TEST_CASE("a tenant's own key spoils nothing for the others") {
  Lab lab;
  const auto own = TargetHealth::foreign_key;
  CHECK(lab.call(Verdict::rate_limited, own, 20s));
  CHECK(lab.call(Verdict::bad_key, own));
  CHECK(lab.call(Verdict::no_credit, own));
  CHECK(lab.health.look(lab.now).usable());
  CHECK(lab.state() == BreakerState::closed);
}

TEST_CASE("of several keys a bad one rests; when all are bad the target is broken, not limited") {
  Lab lab({.max_open_for = 5min}, 2);
  CHECK(lab.call(Verdict::bad_key, 0));
  CHECK(lab.state() == BreakerState::closed);
  CHECK(lab.health.next_key(lab.now) == 1);
  CHECK(lab.call(Verdict::bad_key, 1));
  CHECK(lab.health.look(lab.now).rest == Rest::broken);
  lab.now += 5min + 1ns;
  CHECK(lab.health.look(lab.now).usable());
}

TEST_CASE("an active probe closes an open breaker at once and spares calls the finding out") {
  Lab lab;
  CHECK_FALSE(lab.health.probed(true, lab.now));
  lab.calls(5, Verdict::failed);
  CHECK(lab.health.wants_probe(lab.now));
  lab.now += 10s;
  CHECK_FALSE(lab.health.probed(false, lab.now));
  CHECK(lab.health.look(lab.now).until == lab.now + 20s);
  lab.now += 20s;
  CHECK_FALSE(lab.health.probed(false, lab.now));
  CHECK_FALSE(lab.health.look(lab.now).usable());
  CHECK(lab.health.probed(true, lab.now));
  CHECK(lab.health.look(lab.now).usable());
}

TEST_CASE("without calls, probes find out what calls would") {
  Lab lab;
  CHECK(lab.health.wants_probe(lab.now));
  CHECK(lab.call(Verdict::good));
  CHECK_FALSE(lab.health.wants_probe(lab.now));
  lab.now += 11s;
  CHECK(lab.health.wants_probe(lab.now));
  for (int i = 0; i < 4; ++i)
    lab.health.probed(false, lab.now);
  lab.health.probed(true, lab.now);
  for (int i = 0; i < 4; ++i)
    lab.health.probed(false, lab.now);
  CHECK(lab.state() == BreakerState::closed);
  lab.health.probed(false, lab.now);
  CHECK(lab.state() == BreakerState::open);
  CHECK(lab.health.wants_probe(lab.now));
}

TEST_CASE("the latency jumps up at once and fades") {
  PeakLatency latency;
  SteadyTime now{1h};
  CHECK(latency.at(now) == 0);
  latency.observe(100ms, now);
  latency.observe(900ms, now);
  CHECK(latency.at(now) == doctest::Approx(900e6));
  for (int i = 0; i < 20; ++i)
    latency.observe(100ms, now += 1s);
  CHECK(latency.at(now) < 250e6);
  CHECK(latency.at(now) > 100e6);
  CHECK(latency.at(now + 60s) < 1e6);
}

TEST_CASE("the strictest of several models' rules hold") {
  const BreakerRules a{.failures = 3, .open_for = 10s, .error_permille = 500, .window = 20s};
  const BreakerRules b{.failures = 9, .open_for = 60s, .error_permille = 100, .window = 5s};
  const BreakerRules both = a.stricter(b);
  CHECK(both == b.stricter(a));
  CHECK(both.failures == 3);
  CHECK(both.open_for == 60s);
  CHECK(both.error_permille == 100);
  CHECK(both.window == 20s);
}

TEST_CASE("many threads: in flight ends at zero, and an outage lets one probe through") {
  TargetHealth health("p", "m", 2);
  health.set_rules({.failures = 1000});
  const SteadyTime start{1h};
  std::atomic<int> probes{0};
  const auto work = [&](unsigned seed) {
    for (unsigned i = 0; i < 5000; ++i) {
      const SteadyTime now = start + std::chrono::microseconds(i);
      Availability refused;
      auto pass = health.enter(health.next_key(now), now, refused);
      if (!pass) continue;
      probes += pass->probe ? 1 : 0;
      health.first_token(*pass, std::chrono::milliseconds(seed), now);
      health.leave(*pass, {.verdict = i % 7 == 0 ? Verdict::failed : Verdict::good}, now);
      (void)health.look(now);
      if (i % 512 == 0) (void)health.snapshot(now);
    }
  };
  const auto all_at_once = [](const auto& what) {
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i <= 4; ++i)
      threads.emplace_back(what, i);
  };
  all_at_once(work);
  CHECK(health.in_flight() == 0);
  CHECK(probes == 0);
  health.set_rules({.failures = 5});
  for (int i = 0; i < 5; ++i) {
    Availability refused;
    if (auto pass = health.enter(0, start, refused)) {
      health.leave(*pass, {.verdict = Verdict::failed}, start);
    }
  }
  REQUIRE(health.snapshot(start).state == BreakerState::open);
  std::atomic<int> let_in{0};
  all_at_once([&](unsigned) {
    Availability refused;
    if (health.enter(0, start + 31s, refused)) ++let_in;
  });
  CHECK(let_in == 1);
}

}  // namespace tollgate::routing
