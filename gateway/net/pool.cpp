#include "gateway/net/pool.hpp"

#include <algorithm>

namespace tollgate::net {

/// Looks at the idle ones now and then, while there are any.
class Pool::Sweep final : public Deadline {
 public:
  Sweep(Deadlines& deadlines, Pool& pool) : Deadline(deadlines), pool_(pool) {}
  void begin() {
    if (at() == never) arm(std::chrono::steady_clock::now() + pool_.limits_.sweep);
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
  by_key_.clear();
  UpstreamStats::add(stats_.idle, -static_cast<std::int64_t>(idle_.size()));
  idle_.clear();
}

std::unique_ptr<UpstreamConnection> Pool::take(std::string_view key) {
  for (;;) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    const Place latest = found->second.back();
    const bool in_time = std::chrono::steady_clock::now() < latest->until;
    std::unique_ptr<UpstreamConnection> connection = remove(latest);
    if (!in_time || !is_quiet(*connection)) continue;
    connection->reused = true;
    return connection;
  }
}

void Pool::put(std::unique_ptr<UpstreamConnection> connection, std::chrono::milliseconds idle) {
  idle = std::min(idle, limits_.idle);
  if (idle <= std::chrono::milliseconds(0) || limits_.per_key == 0 || limits_.total == 0) return;
  if (idle_.size() >= limits_.total) remove(idle_.begin());
  std::vector<Place>& of_key = by_key_[connection->key];
  if (of_key.size() >= limits_.per_key) {
    idle_.erase(of_key.front());
    of_key.erase(of_key.begin());
    UpstreamStats::add(stats_.idle, -1);
  }
  idle_.push_back({std::move(connection), std::chrono::steady_clock::now() + idle});
  of_key.push_back(std::prev(idle_.end()));
  UpstreamStats::add(stats_.idle, 1);
  sweep_->begin();
}

/// Takes one out of both books.
std::unique_ptr<UpstreamConnection> Pool::remove(Place place) {
  std::unique_ptr<UpstreamConnection> connection = std::move(place->connection);
  const auto found = by_key_.find(connection->key);
  std::erase(found->second, place);
  if (found->second.empty()) by_key_.erase(found);
  idle_.erase(place);
  UpstreamStats::add(stats_.idle, -1);
  return connection;
}

void Pool::sweep() {
  const SteadyTime now = std::chrono::steady_clock::now();
  for (auto place = idle_.begin(); place != idle_.end();) {
    const auto here = place++;
    if (now >= here->until || !is_quiet(*here->connection)) remove(here);
  }
}

}  // namespace tollgate::net
