#include "policies/cache/memory.hpp"

#include <algorithm>

#include "policies/cache/shard.hpp"

namespace tollgate::cache {
namespace {

constexpr std::uint64_t shards_max = 16;
constexpr std::uint64_t large_entries_a_shard = 8;

}  // namespace

std::string_view Held::bytes() const { return {node_->bytes(), node_->size}; }
SteadyTime Held::stored_at() const { return node_->stored_at; }

MemoryCache::MemoryCache(std::uint64_t bytes_max, std::uint64_t entry_usual_max) {
  const std::uint64_t room = std::max<std::uint64_t>(entry_usual_max, 1) * large_entries_a_shard;
  const std::uint64_t count = std::clamp<std::uint64_t>(bytes_max / room, 1, shards_max);
  for (std::uint64_t i = 0; i < count; ++i)
    shards_.push_back(std::make_unique<Shard>(bytes_max / count));
}

MemoryCache::~MemoryCache() = default;

/// By bytes that neither the table nor the ghosts look at.
Shard& MemoryCache::shard_of(const Digest& key) const {
  return *shards_[key.back() % shards_.size()];
}

Held MemoryCache::find(const Digest& key, SteadyTime now) {
  return Held(shard_of(key).find(key, now));
}

bool MemoryCache::put(const Digest& key, std::string_view bytes, const EntryFacts& facts) {
  return shard_of(key).put(key, bytes, facts);
}

std::uint64_t MemoryCache::purge(const Purge& what) {
  std::uint64_t gone = 0;
  const std::uint64_t number = purges_.fetch_add(1, std::memory_order_relaxed) + 1;
  for (const auto& shard : shards_)
    gone += shard->purge(what, number);
  return gone;
}

MemoryStats MemoryCache::stats() const {
  MemoryStats stats;
  for (const auto& shard : shards_)
    shard->add_to(stats);
  return stats;
}

}  // namespace tollgate::cache
