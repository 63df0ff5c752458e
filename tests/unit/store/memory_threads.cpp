#include <array>
#include <atomic>
#include <thread>

#include "policies/store/memory.hpp"
#include "world.hpp"

namespace tollgate::store_tests {
namespace {

constexpr int thread_count = 4, calls = 2000;

TEST_CASE("M9, M14: threads that race for a ceiling pass none and lose nothing") {
  HandClock clock;
  policies::MemoryStore store(clock);
  Scope acme = tenant("acme"), of_model = model("m");
  std::array<Scope, 2> keys{key("a", "acme"), key("b", "acme")};
  acme.budgets = {budget(100'000)};
  acme.limits.concurrent = 3;
  for (Scope* scope : {&acme, &of_model, keys.data(), &keys[1]})
    store.attach(*scope);
  std::atomic<NanoUsd> charged = 0;
  std::atomic<int> running = 0, most = 0;
  const auto race = [&](int self) {
    // Opposite orders: locks are taken in one order all the same.
    const Scope* of_key = &keys[static_cast<std::size_t>(self % 2)];
    std::array<const Scope*, 3> scopes{of_key, &acme, &of_model};
    if (self >= 2) std::swap(scopes[0], scopes[2]);
    for (int i = 0; i < calls; ++i) {
      auto verdict = result_of(store.reserve(ask(scopes, 50)));
      if (!verdict) {
        // All places taken: asked again, so that what is spent does not hang on who runs when.
        if (verdict.error().kind == DenialKind::concurrent) --i;
        std::this_thread::yield();
        continue;
      }
      const int now = ++running;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      --running;
      charged += 37;
      result_of(store.settle(std::move(verdict->reservation), {.tokens = 1, .charged = 37}));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < thread_count; ++i)
      threads.emplace_back(race, i);
  }
  const std::array<const Scope*, 1> scopes{&acme};
  const auto lines = result_of(store.read(scopes, {}));
  REQUIRE(lines);
  CHECK(most <= 3);
  for (const Reading& line : *lines) {
    CHECK(line.reserved == 0);
    if (line.what == "concurrent") CHECK(line.used == 0);
    if (!line.budget) continue;
    CHECK(line.used == static_cast<std::uint64_t>(charged.load()));
    CHECK(line.used <= line.limit);
    CHECK(line.used > 90'000);
  }
}

}  // namespace
}  // namespace tollgate::store_tests
