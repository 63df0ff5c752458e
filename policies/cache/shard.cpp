#include "policies/cache/shard.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <malloc.h>
#include <new>

namespace tollgate::cache {
namespace {

constexpr std::uint8_t asked_max = 3;
constexpr std::uint64_t small_share = 10;  // a tenth of the bytes is on probation
constexpr std::size_t slots_least = 64;

/// What the allocator took for it, its own word included.
std::uint64_t bytes_of(Node& node) { return ::malloc_usable_size(&node) + sizeof(void*); }

std::uint64_t name_hash(std::string_view name) { return std::hash<std::string_view>{}(name); }

template <class Number>
Number number_at(const Digest& key, std::size_t at) {
  Number number;
  std::memcpy(&number, key.data() + at, sizeof number);
  return number;
}

std::uint32_t print_of(const Digest& key) { return number_at<std::uint32_t>(key, 8); }

/// A tenth of `ttl` at most, by the key and the time, so that equal loads do not expire in step.
SteadyTime::duration jitter(const Digest& key, const EntryFacts& facts) {
  constexpr std::uint64_t steps = 1024;
  const auto time = static_cast<std::uint64_t>(facts.now.time_since_epoch().count());
  const std::uint64_t step = (number_at<std::uint64_t>(key, 16) ^ (time >> 10U)) % steps;
  const std::chrono::nanoseconds tenth = std::chrono::nanoseconds(facts.ttl) / 10;
  return tenth * static_cast<std::int64_t>(step) / static_cast<std::int64_t>(steps);
}

Node* make_node(const Digest& key, std::string_view bytes, const EntryFacts& facts) {
  void* memory = std::malloc(sizeof(Node) + bytes.size());
  if (memory == nullptr) throw std::bad_alloc();
  Node* node = ::new (memory) Node;
  node->key = key;
  node->stored_at = facts.now;
  node->expires_at = facts.now + facts.ttl - jitter(key, facts);
  node->tenant = name_hash(facts.tenant);
  node->model = name_hash(facts.model);
  node->size = static_cast<std::uint32_t>(bytes.size());
  if (!bytes.empty()) std::memcpy(node->bytes(), bytes.data(), bytes.size());
  return node;
}

}  // namespace

void ReleaseNode::operator()(const Node* node) const noexcept {
  if (node->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  Node* last = const_cast<Node*>(node);
  last->~Node();
  std::free(last);
}

void NodeQueue::push(Node& node, std::uint64_t bytes) {
  node.newer = nullptr;
  node.older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = &node;
  newest_ = &node;
  bytes_ += bytes;
  ++count_;
}

void NodeQueue::remove(Node& node, std::uint64_t bytes) {
  (node.newer != nullptr ? node.newer->older : newest_) = node.older;
  (node.older != nullptr ? node.older->newer : oldest_) = node.newer;
  bytes_ -= bytes;
  --count_;
}

void Ghosts::resize(std::size_t slots) {
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& slot : before) {
    if (slot.when == 0) continue;
    Slot* const first = bucket(slot.print);
    *std::min_element(first, first + ways,
                      [](const Slot& a, const Slot& b) { return a.when < b.when; }) = slot;
  }
}

Ghosts::Slot* Ghosts::bucket(std::uint32_t print) {
  return &slots_[print % (slots_.size() / ways) * ways];
}

void Ghosts::add(std::uint32_t print) {
  if (++count_ == 0) count_ = 1;  // 0 marks a slot that was never used
  Slot* const first = bucket(print);
  *std::min_element(first, first + ways,
                    [](const Slot& a, const Slot& b) { return a.when < b.when; }) = {print, count_};
}

bool Ghosts::take(std::uint32_t print, std::uint64_t window) {
  Slot* const first = bucket(print);
  for (Slot* slot = first; slot != first + ways; ++slot) {
    if (slot->when == 0 || slot->print != print) continue;
    const bool recent = count_ - slot->when < window;
    *slot = {};
    return recent;
  }
  return false;
}

void Purges::add(std::uint64_t tenant, std::uint64_t model, std::uint64_t number) {
  // Whoever makes up names for ever makes calls lose their entries, and no list grow.
  constexpr std::size_t kinds_max = 1000;
  const auto same = [=](const One& one) { return one.tenant == tenant && one.model == model; };
  if (kinds_.size() >= kinds_max || (tenant == 0 && model == 0)) {
    kinds_.assign(1, {0, 0, number});
  } else if (const auto known = std::ranges::find_if(kinds_, same); known != kinds_.end()) {
    known->number = number;
  } else {
    kinds_.push_back({tenant, model, number});
  }
  latest_ = std::max(latest_, number);
}

bool Purges::meant(const Node& node, std::uint64_t known) const {
  if (latest_ <= known) return false;
  return std::ranges::any_of(kinds_, [&](const One& one) {
    return one.number > known && (one.tenant == 0 || one.tenant == node.tenant) &&
           (one.model == 0 || one.model == node.model);
  });
}

Shard::Shard(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

Shard::~Shard() { purge({}, 0); }

std::uint64_t Shard::used() const {
  return small_.bytes() + main_.bytes() + table_.capacity() * sizeof(Node*) + ghosts_.bytes();
}

Node** Shard::slot_of(const Digest& key) {
  return &table_[number_at<std::uint64_t>(key, 0) % table_.size()];
}

/// Where the pointer to the key's node stands, or would.
Node** Shard::link_to(const Digest& key) {
  Node** link = slot_of(key);
  while (*link != nullptr && (*link)->key != key)
    link = &(*link)->same_slot;
  return link;
}

const Node* Shard::find(const Digest& key, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (table_.empty()) return nullptr;
  Node* const node = *link_to(key);
  if (node == nullptr) return nullptr;
  if (node->expires_at <= now) {
    ++expirations_;
    drop(*node);
    return nullptr;
  }
  node->asked = std::min<std::uint8_t>(static_cast<std::uint8_t>(node->asked + 1), asked_max);
  node->holders.fetch_add(1, std::memory_order_relaxed);
  return node;
}

bool Shard::put(const Digest& key, std::string_view bytes, const EntryFacts& facts) {
  if (bytes.size() + sizeof(Node) > bytes_max_ / 2) return false;
  std::unique_ptr<Node, ReleaseNode> made(make_node(key, bytes, facts));
  const std::lock_guard lock(mutex_);
  if (purges_.meant(*made, facts.purges)) return false;
  Node* const node = made.release();
  if (small_.count() + main_.count() >= table_.size()) grow_table();
  if (Node* const before = *link_to(key)) {
    node->asked = before->asked;
    node->queue = before->queue;
    drop(*before);
  }
  insert(*node);
  make_room();
  return true;
}

void Shard::insert(Node& node) {
  Node** const slot = slot_of(node.key);
  node.same_slot = *slot;
  *slot = &node;
  if (node.queue == Queue::none) {
    const bool again = ghosts_.take(print_of(node.key), main_.count());
    node.queue = again ? Queue::main : Queue::small;
  }
  queue_of(node).push(node, bytes_of(node));
}

void Shard::drop(Node& node) {
  *link_to(node.key) = node.same_slot;
  queue_of(node).remove(node, bytes_of(node));
  ReleaseNode()(&node);
}

void Shard::make_room() {
  while (used() > bytes_max_ && small_.count() + main_.count() > 0) {
    const bool from_small = small_.bytes() > bytes_max_ / small_share || main_.count() == 0;
    from_small ? evict_small() : evict_main();
  }
}

/// What was asked for while on probation moves on; the rest leaves and is remembered.
void Shard::evict_small() {
  Node& node = *small_.oldest();
  if (node.asked > 0) {
    small_.remove(node, bytes_of(node));
    node.asked = 0;
    node.queue = Queue::main;
    return main_.push(node, bytes_of(node));
  }
  ghosts_.add(print_of(node.key));
  ++evictions_;
  drop(node);
}

/// What was asked for meanwhile goes round once more for each time.
void Shard::evict_main() {
  Node& node = *main_.oldest();
  if (node.asked == 0) {
    ++evictions_;
    return drop(node);
  }
  --node.asked;
  main_.remove(node, bytes_of(node));
  main_.push(node, bytes_of(node));
}

void Shard::grow_table() {
  std::vector<Node*> larger(std::max(slots_least, table_.size() * 2));
  std::swap(table_, larger);
  for (Node* node : larger) {
    while (node != nullptr) {
      Node* const next = node->same_slot;
      Node** const slot = slot_of(node->key);
      node->same_slot = *slot;
      *slot = node;
      node = next;
    }
  }
  ghosts_.resize(table_.size());
}

std::uint64_t Shard::purge(const Purge& what, std::uint64_t number) {
  const std::uint64_t tenant = what.tenant.empty() ? 0 : name_hash(what.tenant);
  const std::uint64_t model = what.model.empty() ? 0 : name_hash(what.model);
  const std::lock_guard lock(mutex_);
  purges_.add(tenant, model, number);
  return purge(small_, tenant, model) + purge(main_, tenant, model);
}

std::uint64_t Shard::purge(NodeQueue& queue, std::uint64_t tenant, std::uint64_t model) {
  std::uint64_t gone = 0;
  for (Node* node = queue.oldest(); node != nullptr;) {
    Node* const next = node->newer;
    const bool meant =
        (tenant == 0 || node->tenant == tenant) && (model == 0 || node->model == model);
    if (meant) {
      drop(*node);
      ++gone;
    }
    node = next;
  }
  return gone;
}

void Shard::add_to(MemoryStats& stats) {
  const std::lock_guard lock(mutex_);
  stats.bytes += used();
  stats.entries += small_.count() + main_.count();
  stats.evictions += evictions_;
  stats.expirations += expirations_;
}

}  // namespace tollgate::cache
