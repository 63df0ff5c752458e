#include <algorithm>
#include <doctest/doctest.h>

#include "tests/unit/config/support.hpp"

using namespace tollgate::config;

TEST_CASE("cache: absent there is none, empty it has its defaults") {
  CHECK_FALSE(load(minimal).config->cache);
  const Config config = *load(minimal + "cache: {}\n").config;
  REQUIRE(config.cache);
  CHECK(config.cache->ttl == std::chrono::minutes(10));
  CHECK(config.cache->max_bytes.count == 256U << 20U);
  CHECK(config.cache->max_entry.count == 1U << 20U);
  CHECK(config.cache->when == CacheWhen::deterministic);
  CHECK(config.tenants.at("acme").cache == TenantCache::tenant);
}

TEST_CASE("cache: every setting is read") {
  const Config config =
      *load(
           "version: 1\ntenants: {a: {cache: shared}, b: {cache: off}}\n"
           "cache: {store: memory, ttl: 1h, max_bytes: 64MiB, max_entry: 64KiB, when: always, "
           "replay: paced}\n")
           .config;
  CHECK(config.cache->ttl == std::chrono::hours(1));
  CHECK(config.cache->max_bytes.count == 64U << 20U);
  CHECK(config.cache->max_entry.count == 64U << 10U);
  CHECK(config.cache->when == CacheWhen::always);
  CHECK(config.cache->replay == CacheReplay::paced);
  CHECK(config.tenants.at("a").cache == TenantCache::shared);
  CHECK(config.tenants.at("b").cache == TenantCache::off);
}

TEST_CASE("cache: mistakes have a place") {
  CHECK(report(minimal + "cache: {when: allways}\n") ==
        "t.yaml:4:15: \"when\" must be deterministic, always or on_request, got \"allways\" (did "
        "you mean \"always\"?)\n");
  CHECK(report(minimal + "cache: {max_bytes: 1MiB, max_entry: 1MiB}\n") ==
        "t.yaml:4:37: \"max_entry\" must be at most half of \"max_bytes\"\n");
  CHECK(report(minimal + "cache: {max_bytes: 1MiB}\n") ==
        "t.yaml:4:20: \"max_entry\" must be at most half of \"max_bytes\"\n");
  CHECK(report(minimal + "cache: {store: redis}\n").find("not supported yet") != std::string::npos);
}

TEST_CASE("cache: a tenant's word without a cache is noted") {
  const Loaded loaded = load("version: 1\ntenants: {a: {cache: off}}\n");
  REQUIRE(loaded.config);
  CHECK(std::ranges::count(loaded.notes, "tenants.a.cache says nothing without a cache section") ==
        1);
}

TEST_CASE("cache: where it stands and its size need a restart, the rest does not") {
  const Config none = *load(minimal).config;
  Config after = *load(minimal + "cache: {ttl: 1s, when: always}\n").config;
  CHECK(restart_required(none, after).empty());
  after.cache->max_bytes.count += 1;
  CHECK(restart_required(none, after) == std::vector<std::string>{"cache.max_bytes"});
}
