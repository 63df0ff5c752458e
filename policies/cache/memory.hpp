// MemoryCache: replies kept in this process, bounded in bytes with everything that keeping them
// costs. Evicts by S3-FIFO: what is asked for once leaves through a small queue and never pushes
// out what is asked for again. Split into shards with a lock each; any thread. One object a
// process, kept over reloads.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gateway/core/clock.hpp"
#include "policies/cache/key.hpp"

namespace tollgate::cache {

class Shard;
struct Node;

struct ReleaseNode {
  void operator()(const Node* node) const noexcept;
};

/// An entry in a reader's hands: it stays whole when it is evicted meanwhile.
class Held {
 public:
  Held() = default;
  explicit Held(const Node* node) : node_(node) {}
  explicit operator bool() const { return node_ != nullptr; }
  [[nodiscard]] std::string_view bytes() const;
  [[nodiscard]] SteadyTime stored_at() const;

 private:
  std::unique_ptr<const Node, ReleaseNode> node_;
};

/// What is stored with the bytes. `tenant` and `model` say what a purge finds it by; `purges`, how
/// many there had been when the call began: what a later one meant is not kept.
struct EntryFacts {
  std::string_view tenant, model;
  SteadyTime now{};
  std::chrono::milliseconds ttl{};
  std::uint64_t purges = 0;
};

/// An empty name stands for all.
struct Purge {
  std::string_view tenant, model;
};

struct MemoryStats {
  std::uint64_t bytes = 0, entries = 0, evictions = 0, expirations = 0;
};

class MemoryCache {
 public:
  /// `entry_usual_max`: the size of a large entry; shards are made so that several fit into one.
  explicit MemoryCache(std::uint64_t bytes_max, std::uint64_t entry_usual_max = 1U << 20U);
  ~MemoryCache();
  MemoryCache(const MemoryCache&) = delete;
  MemoryCache& operator=(const MemoryCache&) = delete;

  /// The entry of that key, unless it has expired.
  [[nodiscard]] Held find(const Digest& key, SteadyTime now);
  /// Keeps `bytes` under `key` in place of what was there, for `ttl` less up to a tenth, so that
  /// what came together does not go together. False: too large for a shard, or purged meanwhile.
  bool put(const Digest& key, std::string_view bytes, const EntryFacts& facts);
  /// Returns how many entries went. Calls that have begun leave none of these any more.
  std::uint64_t purge(const Purge& what);
  /// How many there have been; for `EntryFacts`, before a provider is asked.
  [[nodiscard]] std::uint64_t purges() const { return purges_.load(std::memory_order_relaxed); }
  [[nodiscard]] MemoryStats stats() const;

 private:
  [[nodiscard]] Shard& shard_of(const Digest& key) const;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<std::uint64_t> purges_{0};
};

}  // namespace tollgate::cache
