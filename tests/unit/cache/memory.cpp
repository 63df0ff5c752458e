// MemoryCache: stays within its bytes, keeps what is asked for again, forgets in time, and gives
// out whole entries whatever other threads do.
#include "policies/cache/memory.hpp"

#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <fstream>
#include <list>
#include <malloc.h>
#include <random>
#include <thread>
#include <unistd.h>
#include <unordered_map>

#include "gateway/core/frame_memory.hpp"

namespace tollgate::cache {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t mebibyte = 1U << 20U;
const SteadyTime start = SteadyTime(hours(1000));

/// Spreads a number over all bits (SplitMix64).
std::uint64_t mixed(std::uint64_t number) {
  number = (number ^ number >> 30U) * 0xbf58476d1ce4e5b9U;
  number = (number ^ number >> 27U) * 0x94d049bb133111ebU;
  return number ^ number >> 31U;
}

Digest digest(std::uint64_t number) {
  Digest out;
  for (std::size_t at = 0; at < out.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = mixed((number * 4 + at / 8 + 1) * 0x9e3779b97f4a7c15U);
    std::memcpy(out.data() + at, &word, sizeof word);
  }
  return out;
}

EntryFacts facts(SteadyTime now = start, milliseconds ttl = hours(1)) {
  return {.tenant = "acme", .model = "gpt", .now = now, .ttl = ttl};
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Numbers below `count`, the smaller ones more often: the k-th with weight 1/k^skew.
class Zipf {
 public:
  Zipf(std::size_t count, double skew) {
    double sum = 0;
    for (std::size_t k = 1; k <= count; ++k)
      sums_.push_back(sum += std::pow(static_cast<double>(k), -skew));
  }
  std::uint64_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<>(0, sums_.back())(random);
    return static_cast<std::uint64_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

/// What one would have written without thinking, with the same bytes.
class Lru {
 public:
  explicit Lru(std::uint64_t entries_max) : entries_max_(entries_max) {}
  bool ask(std::uint64_t number) {
    const auto known = places_.find(number);
    if (known != places_.end()) {
      order_.splice(order_.begin(), order_, known->second);
      return true;
    }
    order_.push_front(number);
    places_[number] = order_.begin();
    if (order_.size() <= entries_max_) return false;
    places_.erase(order_.back());
    order_.pop_back();
    return false;
  }

 private:
  std::uint64_t entries_max_;
  std::list<std::uint64_t> order_;
  std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> places_;
};

struct Ratios {
  double ours = 0, lru = 0;
};

/// Hit ratios when whatever is missed is stored. `scan`: every how many-th request is for
/// something that never comes again; 0: none.
Ratios measure(double skew, unsigned scan) {
  constexpr std::size_t asks = 400'000, keys = 100'000;
  const std::string value(400, 'v');
  MemoryCache cache(5 * mebibyte, 4096);
  const Zipf zipf(keys, skew);
  std::mt19937_64 random(11);
  std::vector<std::uint64_t> trace;
  for (std::size_t i = 0; i < asks; ++i)
    trace.push_back(scan > 0 && i % scan == 0 ? keys + i : zipf(random));
  double hits = 0, lru_hits = 0;
  for (std::uint64_t number : trace) {
    const Digest key = digest(number);
    if (cache.find(key, start)) {
      ++hits;
    } else {
      cache.put(key, value, facts());
    }
  }
  Lru lru(cache.stats().entries);
  for (std::uint64_t number : trace)
    lru_hits += lru.ask(number) ? 1 : 0;
  return {hits / asks, lru_hits / asks};
}

}  // namespace

TEST_CASE("memory: gives back what was put, under its key alone") {
  MemoryCache cache(mebibyte);
  CHECK(cache.put(digest(1), "one", facts()));
  CHECK(cache.put(digest(2), "", facts()));
  CHECK(cache.find(digest(1), start).bytes() == "one");
  CHECK(cache.find(digest(2), start).bytes().empty());
  CHECK(!cache.find(digest(3), start));
  CHECK(cache.put(digest(1), "another", facts(start + seconds(5))));
  const Held found = cache.find(digest(1), start + seconds(6));
  CHECK(found.bytes() == "another");
  CHECK(found.stored_at() == start + seconds(5));
  CHECK(cache.stats().entries == 2);
  CHECK(!cache.put(digest(4), std::string(mebibyte, 'x'), facts()));
  CHECK(cache.find(digest(1), start));
}

TEST_CASE("memory: an entry lives for its ttl less at most a tenth, and not all end at once") {
  MemoryCache cache(8 * mebibyte);
  constexpr std::uint64_t count = 1000;
  for (std::uint64_t i = 0; i < count; ++i)
    cache.put(digest(i), "x", facts(start, seconds(100)));
  const auto alive = [&](SteadyTime now) {
    std::uint64_t found = 0;
    for (std::uint64_t i = 0; i < count; ++i)
      found += cache.find(digest(i), now) ? 1 : 0;
    return found;
  };
  CHECK(alive(start + seconds(90) - milliseconds(1)) == count);
  const std::uint64_t half = alive(start + seconds(95));
  CHECK(half > count / 3);
  CHECK(half < count * 2 / 3);
  CHECK(alive(start + seconds(100)) == 0);
  CHECK(cache.stats().entries == 0);
  CHECK(cache.stats().expirations == count);
}

TEST_CASE("memory: purge takes a tenant's, a model's, or all") {
  MemoryCache cache(mebibyte);
  const auto put = [&](std::uint64_t key, std::string_view tenant, std::string_view model) {
    cache.put(digest(key), "x",
              {.tenant = tenant, .model = model, .now = start, .ttl = seconds(60)});
  };
  put(1, "acme", "a");
  put(2, "acme", "b");
  put(3, "globex", "a");
  put(4, "globex", "b");
  CHECK(cache.purge({.tenant = "nobody", .model = {}}) == 0);
  CHECK(cache.purge({.tenant = "acme", .model = "a"}) == 1);
  CHECK(!cache.find(digest(1), start));
  CHECK(cache.purge({.tenant = {}, .model = "a"}) == 1);
  CHECK(cache.purge({.tenant = "acme", .model = {}}) == 1);
  CHECK(cache.find(digest(4), start));
  CHECK(cache.purge({}) == 1);
  CHECK(cache.stats().entries == 0);
}

TEST_CASE("memory: a call that began before a purge of its kind leaves nothing") {
  MemoryCache cache(mebibyte);
  const auto put = [&](std::uint64_t key, std::string_view tenant, std::string_view model,
                       std::uint64_t purges) {
    return cache.put(
        digest(key), "x",
        {.tenant = tenant, .model = model, .now = start, .ttl = seconds(60), .purges = purges});
  };
  const std::uint64_t before = cache.purges();
  REQUIRE(put(1, "acme", "a", before));
  CHECK(cache.purge({.tenant = "acme", .model = "a"}) == 1);
  CHECK_FALSE(put(1, "acme", "a", before));
  CHECK(!cache.find(digest(1), start));
  CHECK(put(2, "acme", "b", before));
  CHECK(put(3, "globex", "a", before));
  const std::uint64_t between = cache.purges();
  CHECK(put(1, "acme", "a", between));
  cache.purge({.tenant = {}, .model = "b"});
  CHECK_FALSE(put(4, "acme", "b", between));
  CHECK(put(5, "acme", "a", between));
  cache.purge({});
  CHECK_FALSE(put(5, "acme", "a", between));
  CHECK(put(5, "acme", "a", cache.purges()));
}

TEST_CASE("memory: a reader keeps its entry though it is purged or evicted") {
  MemoryCache cache(mebibyte, 1024);
  cache.put(digest(1), "first", facts());
  const Held held = cache.find(digest(1), start);
  cache.purge({});
  CHECK(!cache.find(digest(1), start));
  CHECK(held.bytes() == "first");
}

TEST_CASE("memory: a million entries stay within the bytes that were allowed, as the system sees") {
  constexpr std::uint64_t allowed = 64 * mebibyte;
  ::malloc_trim(0);
  const std::uint64_t before = resident_bytes();
  MemoryCache cache(allowed, 64 * 1024);
  std::mt19937_64 random(3);
  const std::string bytes(16 * 1024, 'b');
  for (std::uint64_t i = 0; i < 1'000'000; ++i) {
    // Replies are short as a rule, and sometimes long.
    const std::uint64_t size = 100 + random() % (i % 20 == 0 ? 8000 : 1200);
    REQUIRE(cache.put(digest(i), std::string_view(bytes).substr(0, size), facts()));
    if (i % 3 == 0) static_cast<void>(cache.find(digest(random() % (i + 1)), start));
  }
  const std::uint64_t grown = resident_bytes() - before;
  CHECK(cache.stats().bytes <= allowed);
  CHECK(cache.stats().bytes > allowed * 9 / 10);
  CHECK(cache.stats().evictions > 900'000);
  // A sanitizer's allocator keeps what was freed, and more beside it.
  if (FrameMemory::keeps) CHECK(grown < allowed * 115 / 100);
}

TEST_CASE("memory: keeps more of what is asked for again than the least recently used would") {
  for (const double skew : {0.7, 0.9, 1.1}) {
    for (const unsigned scan : {0U, 4U, 2U}) {
      const Ratios ratios = measure(skew, scan);
      CAPTURE(skew);
      CAPTURE(scan);
      CHECK(ratios.ours > ratios.lru);
    }
  }
}

TEST_CASE("memory: threads that put, ask and purge see whole entries only") {
  MemoryCache cache(mebibyte, 4096);
  const auto worker = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t number = random() % 500;
      const std::string value(number * 7 % 3000 + 8, static_cast<char>('a' + number % 26));
      if (random() % 3 == 0) cache.put(digest(number), value, facts());
      const Held held = cache.find(digest(number), start);
      if (held && held.bytes() != value) return false;
      if (i % 5000 == 0) cache.purge({});
    }
    return true;
  };
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
      threads.emplace_back([&, seed] { good += worker(seed) ? 1 : 0; });
  }
  CHECK(good == 4);
  CHECK(cache.stats().bytes <= mebibyte);
}

}  // namespace tollgate::cache
