#include "gateway/net/pool.hpp"

#include <algorithm>

namespace tollgate::net {
namespace {

// From then on the kernel is asked before a connection is used again.
constexpr std::chrono::milliseconds long_idle{500};

}  // namespace

/// Looks at the idle ones now and then, while there are any.
class Pool::Sweep final : public Deadline {
 public:
  Sweep(Deadlines& deadlines, Pool& pool) : Deadline(deadlines), pool_(pool) {}
  void begin() {
    if (at() == never) arm(coarse_now() + pool_.limits_.sweep);
  }

 private:
  void expired() override {
    pool_.sweep();
    if (!pool_.idle_.empty()) begin();
  }
  Pool& pool_;
};

Pool::Pool(Deadlines& deadlines, PoolLimits limits, UpstreamStats& stats)
    : limits_(limits), stats_(stats), sweep_(std::make_unique<Sweep>(deadlines, *this)) {}

Pool::~Pool() { clear(); }

void Pool::clear() {
  while (!idle_.empty()) {
    UpstreamConnection& oldest = idle_.front();
    remove(oldest, shelves_.find(oldest.key)->second);
  }
  shelves_.clear();
}

std::unique_ptr<UpstreamConnection> Pool::take(std::string_view key) {
  const auto shelf = shelves_.find(key);
  if (shelf == shelves_.end()) return nullptr;
  const SteadyTime now = coarse_now();
  while (!shelf->second.empty()) {
    UpstreamConnection& latest = shelf->second.back();
    std::unique_ptr<UpstreamConnection> connection = remove(latest, shelf->second);
    // A server that ends connections, or says so, does it after a while.
    const bool sure = now - latest.idle_since >= long_idle;
    if (now >= latest.idle_until || !is_quiet(latest, sure)) continue;
    latest.reused = true;
    return connection;
  }
  return nullptr;
}

void Pool::put(std::unique_ptr<UpstreamConnection> connection, std::chrono::milliseconds idle) {
  idle = std::min(idle, limits_.idle);
  if (idle <= std::chrono::milliseconds(0) || limits_.per_key == 0 || limits_.total == 0) return;
  auto shelf = shelves_.find(connection->key);
  if (shelf == shelves_.end()) shelf = shelves_.try_emplace(connection->key).first;
  if (shelf->second.size() >= limits_.per_key) remove(shelf->second.front(), shelf->second);
  if (idle_.size() >= limits_.total) {
    UpstreamConnection& oldest = idle_.front();
    remove(oldest, shelves_.find(oldest.key)->second);
  }
  UpstreamConnection& kept = *connection.release();
  kept.idle_since = coarse_now();
  kept.idle_until = kept.idle_since + idle;
  kept.stream->watch_silence();
  idle_.push_back(kept);
  shelf->second.push_back(kept);
  UpstreamStats::add(stats_.idle, 1);
  sweep_->begin();
}

/// Takes one out of both lists.
std::unique_ptr<UpstreamConnection> Pool::remove(UpstreamConnection& connection, Shelf& shelf) {
  idle_.erase(idle_.iterator_to(connection));
  shelf.erase(shelf.iterator_to(connection));
  UpstreamStats::add(stats_.idle, -1);
  return std::unique_ptr<UpstreamConnection>(&connection);
}

void Pool::sweep() {
  const SteadyTime now = coarse_now();
  for (auto place = idle_.begin(); place != idle_.end();) {
    UpstreamConnection& here = *place++;
    if (now >= here.idle_until || !is_quiet(here, true)) {
      remove(here, shelves_.find(here.key)->second);
    }
  }
  std::erase_if(shelves_, [](const auto& shelf) { return shelf.second.empty(); });
}

}  // namespace tollgate::net
