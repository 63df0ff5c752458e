// Validation of the cache: sizes, where it stands, and the keys that seal it.
#include "config/seal_keys.hpp"
#include "config/validate.hpp"

namespace tollgate::config {
namespace {

constexpr std::string_view key_form = "is 32 bytes in base64 (openssl rand -base64 32)";

bool says(const Checking& check, const char* key) {
  return check.spots.find({"cache", key}) != nullptr;
}

/// A key of the other store is no mistake: a file may keep both and change `store` alone.
void note_unused(const Checking& check, const char* key, std::string_view store) {
  if (says(check, key)) {
    check.notes.push_back(std::string("cache.") + key +
                          " is used with \"store: " + std::string(store) + "\" only");
  }
}

void check_size(const Checking& check, CacheConfig& cache) {
  if (cache.store == CacheStore::redis) {
    note_unused(check, "max_bytes", "memory");
  } else if (cache.max_entry.count > cache.max_bytes.count / 2) {
    cache.max_entry.count = cache.max_bytes.count / 2;
    if (says(check, "max_entry")) {
      check.notes.emplace_back("cache.max_entry is lowered to half of cache.max_bytes");
    }
  }
}

void check_place(const Checking& check, const CacheConfig& cache) {
  const bool shared = cache.store == CacheStore::redis;
  if (cache.redis) {
    check_redis(check, "cache", *cache.redis);
    check.complain({"cache", "redis", "persistent"}, "\"persistent\" goes with store.redis");
    if (!shared) note_unused(check, "redis", "redis");
  } else if (shared && !check.config.store.redis) {
    check.complain({"cache", "store"}, "\"redis\" needs cache.redis or store.redis");
  }
}

/// Never shows one.
void check_keys(const Checking& check, const CacheConfig& cache) {
  const bool one = says(check, "encryption_key");
  // One that expanded to nothing must not pass for none.
  if (one && !parse_sealing_key(cache.encryption_key.value)) {
    check.complain({"cache", "encryption_key"}, "\"encryption_key\" " + std::string(key_form));
  }
  if (one && !cache.encryption_keys.empty()) {
    check.complain({"cache", "encryption_keys"},
                   "\"encryption_keys\" stand in place of \"encryption_key\", whose id is default");
  }
  if (says(check, "encryption_keys") && cache.encryption_keys.empty()) {
    check.complain({"cache", "encryption_keys"},
                   "\"encryption_keys\" needs a key; without the line nothing is sealed");
  }
  for (std::size_t i = 0; i < cache.encryption_keys.size(); ++i) {
    const CacheKeyConfig& key = cache.encryption_keys[i];
    const std::string at = std::to_string(i);
    if (!parse_sealing_key(key.key.value)) {
      check.complain({"cache", "encryption_keys", at, "key"}, "\"key\" " + std::string(key_form));
    }
    constexpr std::size_t id_bytes_max = 64;
    if (key.id.size() > id_bytes_max) {
      check.complain({"cache", "encryption_keys", at, "id"}, "\"id\" has at most 64 bytes");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (cache.encryption_keys[j].id != key.id) continue;
      check.complain({"cache", "encryption_keys", at, "id"}, "this id stands here already");
    }
  }
  if (cache.store == CacheStore::memory && !check.config.store.redis) {
    note_unused(check, "encryption_key", "redis");
    note_unused(check, "encryption_keys", "redis");
  }
}

}  // namespace

void check_cache(const Checking& check) {
  auto& cache = check.config.cache;
  if (cache) {
    check_size(check, *cache);
    check_place(check, *cache);
    check_keys(check, *cache);
  }
  for (const auto& [name, tenant] : check.config.tenants) {
    if (!cache && check.spots.find({"tenants", name, "cache"}) != nullptr) {
      check.notes.push_back("tenants." + name + ".cache says nothing without a cache section");
    }
  }
}

}  // namespace tollgate::config
