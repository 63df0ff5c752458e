// Shard: one part of a MemoryCache under its own lock: nodes, the table that finds them, the queues
// of S3-FIFO (Yang et al., SOSP 2023: small, main, ghost). Every byte is counted as the allocator
// gives it out. Private to policies/cache.
#pragma once
#include <array>
#include <cstring>
#include <mutex>
#include <vector>

#include "policies/cache/memory.hpp"

namespace tollgate::cache {

enum class Queue : std::uint8_t { none, small, main };

/// An entry, its bytes behind it in the same piece of memory.
struct Node {
  Node* same_slot = nullptr;  // in the table
  Node *newer = nullptr, *older = nullptr;
  Digest key{};
  SteadyTime stored_at{}, expires_at{};
  std::uint64_t tenant = 0, model = 0;  // hashes of names
  std::uint32_t size = 0;
  std::uint8_t asked = 0;  // times since it was looked at, at most 3
  Queue queue = Queue::none;
  mutable std::atomic<std::uint32_t> holders{1};

  [[nodiscard]] char* bytes() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
};

/// A queue of nodes, first in, first out.
class NodeQueue {
 public:
  void push(Node& node, std::uint64_t bytes);
  void remove(Node& node, std::uint64_t bytes);
  [[nodiscard]] Node* oldest() const { return oldest_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  Node *newest_ = nullptr, *oldest_ = nullptr;
  std::uint64_t bytes_ = 0, count_ = 0;
};

/// Keys that left the small queue a while ago, by 32 bits of theirs. A wrong yes costs nothing but
/// a better place for an entry.
class Ghosts {
 public:
  void resize(std::size_t slots);
  void add(std::uint32_t print);
  /// True when it was added within the last `window` additions; then it is forgotten.
  bool take(std::uint32_t print, std::uint64_t window);
  [[nodiscard]] std::uint64_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  static constexpr std::size_t ways = 4;
  struct Slot {
    std::uint32_t print = 0, when = 0;
  };
  [[nodiscard]] Slot* bucket(std::uint32_t print);
  std::vector<Slot> slots_;
  std::uint32_t count_ = 0;
};

/// The latest purges of each kind: what they meant is not kept where the call began before.
class Purges {
 public:
  /// Hashes of names; 0 stands for all.
  void add(std::uint64_t tenant, std::uint64_t model, std::uint64_t number);
  /// Whether one beyond `known` meant this entry.
  [[nodiscard]] bool meant(const Node& node, std::uint64_t known) const;

 private:
  struct One {
    std::uint64_t tenant, model, number;
  };
  std::vector<One> kinds_;
  std::uint64_t latest_ = 0;
};

class Shard {
 public:
  explicit Shard(std::uint64_t bytes_max);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  [[nodiscard]] const Node* find(const Digest& key, SteadyTime now);
  bool put(const Digest& key, std::string_view bytes, const EntryFacts& facts);
  std::uint64_t purge(const Purge& what, std::uint64_t number);
  void add_to(MemoryStats& stats);

 private:
  [[nodiscard]] Node** slot_of(const Digest& key);
  [[nodiscard]] Node** link_to(const Digest& key);
  void insert(Node& node);
  void drop(Node& node);
  void make_room();
  void evict_small();
  void evict_main();
  void grow_table();
  std::uint64_t purge(NodeQueue& queue, std::uint64_t tenant, std::uint64_t model);
  [[nodiscard]] NodeQueue& queue_of(const Node& node) {
    return node.queue == Queue::small ? small_ : main_;
  }
  [[nodiscard]] std::uint64_t used() const;

  std::mutex mutex_;
  const std::uint64_t bytes_max_;
  std::vector<Node*> table_;
  NodeQueue small_, main_;
  Ghosts ghosts_;
  Purges purges_;
  std::uint64_t evictions_ = 0, expirations_ = 0;
};

}  // namespace tollgate::cache
