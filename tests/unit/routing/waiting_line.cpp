#include "routing/waiting_line.hpp"

#include <deque>
#include <doctest/doctest.h>
#include <map>
#include <random>
#include <thread>

#include "tests/unit/routing/waiting_support.hpp"

namespace tollgate::routing {
namespace {
using namespace test;
using namespace std::chrono_literals;

/// Calls of three tenants at one provider, as they come and go.
class Crowd {
 public:
  explicit Crowd(std::uint32_t places) : places_(places), provider_({.concurrent = places}) {}

  void come(std::uint64_t who) {
    const std::string tenant(1, static_cast<char>('a' + who));
    const auto weight = static_cast<std::uint32_t>(1 + who);
    waiting_.push_back({provider_.wait(tenant, tick(), weight), tenant});
    ++came_;
  }
  bool end_one(std::uint64_t which) {
    if (running_.empty()) return false;
    std::swap(running_[which % running_.size()], running_.back());
    const Pass pass = running_.back();
    running_.pop_back();
    provider_.end(pass, tick());
    return true;
  }
  void hang_up(std::uint64_t which) {
    if (waiting_.empty()) return;
    const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(which % waiting_.size());
    CHECK_FALSE(at->waiter->leave(tick()));
    waiting_.erase(at);
    ++hung_up_;
  }
  /// Takes up what was called, and checks what must always hold.
  void look() {
    std::map<std::string, bool> earlier_waits;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      if (at->waiter->state() == State::waiting) {
        earlier_waits[at->tenant] = true;
        ++at;
        continue;
      }
      CHECK_FALSE(earlier_waits[at->tenant]);  // the order within a tenant
      REQUIRE(at->waiter->leave(now_));
      running_.push_back(at->waiter->pass());
      ++admitted_;
      at = waiting_.erase(at);
    }
    CHECK(running_.size() <= places_);
    CHECK(provider_.limit->line().size() == waiting_.size());
    // A place is free only where nobody waits.
    CHECK((waiting_.empty() || running_.size() == places_));
  }
  [[nodiscard]] bool all_are_accounted_for() const {
    return waiting_.empty() && came_ == admitted_ + hung_up_;
  }

 private:
  struct Standing {
    std::shared_ptr<TestWaiter> waiter;
    std::string tenant;
  };
  SteadyTime tick() { return now_ += 7ms; }

  std::size_t places_;
  Provider provider_;
  std::vector<Pass> running_;
  std::deque<Standing> waiting_;  // in order of arrival
  SteadyTime now_ = start;
  std::size_t admitted_ = 0, came_ = 0, hung_up_ = 0;
};

}  // namespace

TEST_CASE("waiting line: a freed place is handed to the first that waits, and to one only") {
  const Provider provider({.concurrent = 1});
  const Pass running = provider.run(start);
  const auto first = provider.wait("a", start), second = provider.wait("a", start);
  CHECK(first->state() == State::waiting);
  CHECK(provider.target->look(start).rest == Rest::limited);

  provider.end(running, start);
  CHECK(first->state() == State::called);
  CHECK(first->woken == 1);
  CHECK(second->state() == State::waiting);
  CHECK(second->woken == 0);

  CHECK(provider.refusal(start).rest == Rest::limited);
  CHECK(first->leave(start));
  provider.end(first->pass(), start);
  CHECK(second->leave(start));
  CHECK(provider.limit->line().size() == 0);
  provider.end(second->pass(), start);
  provider.end(provider.run(start), start);  // nobody waits: free for all
}

TEST_CASE("waiting line: an emptied minute brings the next one by time, watched by one only") {
  const Provider provider({.requests_per_minute = 60});
  for (int i = 0; i < 60; ++i)
    provider.end(provider.run(start), start);
  const auto first = provider.wait("a", start), second = provider.wait("b", start);
  CHECK(first->alarm() > start);
  CHECK(first->alarm() <= start + 1s + 1us);
  CHECK(second->alarm() == never);
  CHECK(second->woken == 0);

  const SteadyTime later = first->alarm();
  CHECK(provider.refusal(later).rest == Rest::limited);  // who comes now stands behind
  first->look_again(later);
  CHECK(first->state() == State::called);
  CHECK(second->state() == State::waiting);
  CHECK(second->alarm() > later);
  // The watch goes on to the next when its keeper leaves.
  const auto third = provider.wait("c", later);
  CHECK_FALSE(second->leave(later));
  CHECK(third->alarm() > later);
  CHECK_FALSE(third->leave(later));
}

TEST_CASE("waiting line: how long one who comes now would wait, by how it went of late") {
  const Provider provider({.concurrent = 1});
  Pass running = provider.run(start);
  CHECK(provider.limit->line().expected_wait(start) == 0ns);
  std::deque<std::shared_ptr<TestWaiter>> waiting;
  for (int i = 0; i < 5; ++i)
    waiting.push_back(provider.wait("a", start));
  SteadyTime now = start;
  for (int i = 0; i < 3; ++i) {
    now += 2s;
    provider.end(running, now);
    REQUIRE(waiting.front()->leave(now));
    running = waiting.front()->pass();
    waiting.pop_front();
  }
  CHECK(provider.limit->line().size() == 2);
  CHECK(waiting.front()->expected_wait(now) == 6s);        // two before it, and itself
  CHECK(waiting.front()->expected_wait(now + 7s) == 21s);  // it is slower than that by now
}

TEST_CASE("waiting line: who stands in two lines is called once") {
  const Provider one({.concurrent = 1}), other({.concurrent = 1});
  const Pass at_one = one.run(start), at_other = other.run(start);
  Waiter::Wish wish = one.wish("a");
  wish.places.push_back({.health = other.target, .key = 0, .target = 1});
  const auto waiter = std::make_shared<TestWaiter>(std::move(wish));
  waiter->enter(start);
  other.end(at_other, start);
  one.end(at_one, start);
  REQUIRE(waiter->leave(start));
  CHECK(waiter->place().target == 1);
  CHECK(waiter->woken == 1);
  one.end(one.run(start), start);  // not taken twice
  other.end(waiter->pass(), start);
  CHECK(one.limit->line().size() + other.limit->line().size() == 0);
}

TEST_CASE("waiting line: nobody waits for what is broken, nor after the process's end") {
  const Provider provider({.concurrent = 1});
  provider.target->set_rules({.failures = 1});
  const Pass running = provider.run(start);
  const auto waiter = provider.wait("a", start);
  provider.end(running, start, Verdict::failed);
  CHECK(waiter->state() == State::hopeless);
  CHECK(waiter->rest(start).rest == Rest::broken);
  CHECK_FALSE(waiter->leave(start));

  const Provider ending({.concurrent = 1});
  const Pass last = ending.run(start);
  const auto early = ending.wait("a", start);
  ending.limit->line().close();
  CHECK(early->state() == State::dismissed);
  CHECK(ending.wait("a", start)->state() == State::dismissed);
  ending.end(last, start);
}

TEST_CASE("waiting line: a raised limit lets in as many as it has room for") {
  const Provider provider({.concurrent = 1});
  const Pass running = provider.run(start);
  std::vector<std::shared_ptr<TestWaiter>> waiters;
  for (int i = 0; i < 5; ++i)
    waiters.push_back(provider.wait("a", start));
  provider.limit->set({.concurrent = 3});
  provider.limit->line().serve(start);
  CHECK(waiters[1]->state() == State::called);
  CHECK(waiters[2]->state() == State::waiting);
  provider.end(running, start);
  for (const auto& waiter : waiters) {
    if (waiter->leave(start)) provider.end(waiter->pass(), start);
  }
  CHECK(provider.limit->line().size() == 0);
}

TEST_CASE("waiting line: whatever comes, ends and hangs up, nothing is lost and nobody overtakes") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO(seed);
    std::mt19937_64 random(seed);
    Crowd crowd(1 + static_cast<std::uint32_t>(random() % 4));
    for (int step = 0; step < 200; ++step) {
      const std::uint64_t draw = random();
      if (step % 2 == 0) {
        crowd.come(draw % 3);
      } else if (draw % 2 == 0) {
        crowd.end_one(draw / 2);
      } else {
        crowd.hang_up(draw / 2);
      }
      crowd.look();
    }
    while (crowd.end_one(0))
      crowd.look();
    CHECK(crowd.all_are_accounted_for());
  }
}

TEST_CASE("waiting line: many threads, no lost place") {
  const Provider provider({.concurrent = 3});
  std::atomic<int> inside{0}, most{0}, admitted{0}, given_up{0};
  const auto call = [&](std::string tenant, int number) {
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto waiter = std::make_shared<TestWaiter>(provider.wish(std::move(tenant)));
    waiter->enter(now);
    for (int look = 0; look < number % 7 && waiter->state() == State::waiting; ++look)
      std::this_thread::yield();
    if (!waiter->leave(now)) return void(++given_up);
    const int here = ++inside;
    int seen = most;
    while (here > seen && !most.compare_exchange_weak(seen, here)) {
    }
    ++admitted;
    std::this_thread::yield();
    --inside;
    provider.end(waiter->pass(), now);
  };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&call, thread] {
      for (int i = 0; i < 2000; ++i)
        call(std::string(1, static_cast<char>('a' + thread % 2)), i);
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(admitted + given_up == 8000);
  CHECK(admitted > 0);
  CHECK(most <= 3);
  CHECK(provider.limit->line().size() == 0);
  for (int i = 0; i < 3; ++i)
    (void)provider.run(start);  // all are back
}

}  // namespace tollgate::routing
