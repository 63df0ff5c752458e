// Pool: idle keep-alive connections of one worker, by key, the latest first. Bounded per key and in
// all; what idles too long or was closed by its peer is dropped within a sweep. Keeping and taking
// one costs no memory and, as a rule, no system call. Used by the upstream client on its thread.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/net/deadlines.hpp"
#include "gateway/net/upstream_connection.hpp"

namespace tollgate::net {

struct PoolLimits {
  std::size_t per_key = 512, total = 2048;
  std::chrono::milliseconds idle{60000};
  std::chrono::milliseconds sweep{2000};
};

class Pool {
 public:
  Pool(Deadlines& deadlines, PoolLimits limits, UpstreamStats& stats);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// The connection of `key` that was used last and is still quiet, or nullptr.
  [[nodiscard]] std::unique_ptr<UpstreamConnection> take(std::string_view key);
  /// Keeps `connection` for at most `idle` (the peer's own limit) and ours; 0 closes it.
  void put(std::unique_ptr<UpstreamConnection> connection, std::chrono::milliseconds idle);
  void clear();
  [[nodiscard]] std::size_t size() const { return idle_.size(); }

 private:
  template <class Hook>
  using List = boost::intrusive::list<UpstreamConnection, boost::intrusive::base_hook<Hook>>;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Shelf = List<ShelfHook>;
  class Sweep;

  std::unique_ptr<UpstreamConnection> remove(UpstreamConnection& connection, Shelf& shelf);
  void sweep();

  PoolLimits limits_;
  UpstreamStats& stats_;
  List<IdleHook> idle_;                                                    // oldest first; owned
  std::unordered_map<std::string, Shelf, Hash, std::equal_to<>> shelves_;  // the same, by key
  std::unique_ptr<Sweep> sweep_;
};

}  // namespace tollgate::net
