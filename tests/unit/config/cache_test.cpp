#include <algorithm>
#include <doctest/doctest.h>

#include "config/seal_keys.hpp"
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
}

TEST_CASE("cache: one in Redis says which") {
  const std::string url = "redis: {url: \"redis://h\"}";
  const Config config = *load(minimal + "cache: {store: redis, " + url + "}\n").config;
  CHECK(config.cache->store == CacheStore::redis);
  CHECK(config.cache->redis->url.value == "redis://h");
  CHECK(load(minimal + "cache: {store: redis}\nstore: {" + url + "}\n").config);
  CHECK(report(minimal + "cache: {store: redis}\n") ==
        "t.yaml:4:16: \"redis\" needs cache.redis or store.redis\n");
  CHECK(report(minimal + "cache: {store: redis, redis: {url: \"http://h\"}}\n") ==
        "t.yaml:4:36: the URL of Redis begins with redis:// or rediss://\n");
}

TEST_CASE("cache: keys that seal are 32 bytes, one or several, and are never shown") {
  const std::string redis = "cache: {store: redis, redis: {url: \"redis://h\"}, ";
  const std::string a = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
  const std::string b = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=";
  CHECK(sealing_keys(*load(minimal).config).empty());
  const auto one = sealing_keys(*load(minimal + redis + "encryption_key: \"" + a + "\"}\n").config);
  REQUIRE(one.size() == 1);
  CHECK(one[0].id == "default");
  CHECK(one[0].bytes.back() == 'A');
  const Config config = *load(minimal + redis + "encryption_keys: [{id: k2, key: \"" + b +
                              "\"}, {id: default, key: \"" + a + "\"}]}\n")
                             .config;
  const auto two = sealing_keys(config);
  REQUIRE(two.size() == 2);
  CHECK(two[0].id == "k2");
  CHECK(two[0].bytes.front() == 'B');
  CHECK(masked_yaml(config).find(b) == std::string::npos);
  const std::string form = "is 32 bytes in base64 (openssl rand -base64 32)\n";
  for (const char* bad : {"\"\"", "short", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB",
                          "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQ!E="}) {
    CHECK(report(minimal + redis + "encryption_key: " + bad + "}\n") ==
          "t.yaml:4:66: \"encryption_key\" " + form);
  }
  CHECK(
      report(minimal + redis + "encryption_keys: [{id: a, key: \"" + a + "\"}, {id: a, key: x}]}\n")
          .ends_with(":135: this id stands here already\nt.yaml:4:143: \"key\" " + form));
  CHECK(report(minimal + redis + "encryption_keys: []}\n") ==
        "t.yaml:4:67: \"encryption_keys\" needs a key; without the line nothing is sealed\n");
}

TEST_CASE("cache: what the other store uses may stand there, and is noted") {
  const std::string key = "encryption_key: \"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\"";
  const std::string redis = "redis: {url: \"redis://h\"}";
  const Loaded memory = load(minimal + "cache: {" + key + ", " + redis + "}\n");
  REQUIRE(memory.config);
  CHECK(std::ranges::count(memory.notes, "cache.redis is used with \"store: redis\" only") == 1);
  CHECK(std::ranges::count(memory.notes,
                           "cache.encryption_key is used with \"store: redis\" only") == 1);
  const Loaded shared = load(minimal + "cache: {store: redis, max_bytes: 64MiB, " + redis + "}\n");
  REQUIRE(shared.config);
  CHECK(std::ranges::count(shared.notes, "cache.max_bytes is used with \"store: memory\" only") ==
        1);
}

TEST_CASE("cache: an entry is at most half of the whole") {
  const Loaded silent = load(minimal + "cache: {max_bytes: 1MiB}\n");
  REQUIRE(silent.config);
  CHECK(silent.config->cache->max_entry.count == 512U << 10U);
  const Loaded named = load(minimal + "cache: {max_bytes: 1MiB, max_entry: 1MiB}\n");
  REQUIRE(named.config);
  CHECK(named.config->cache->max_entry.count == 512U << 10U);
  CHECK(named.notes.size() == silent.notes.size() + 1);
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
