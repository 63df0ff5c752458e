// Slots of a Redis Cluster: which of the 16384 a key falls into, which node has it, and what a
// node's MOVED or ASK says. Pure; the cluster client keeps one map.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/net/redis/codec.hpp"
#include "gateway/net/redis/settings.hpp"

namespace tollgate::net {

inline constexpr std::uint16_t slot_count = 16384;

/// The slot of a key: of the text in its first braces, where there is any, else of all of it.
[[nodiscard]] std::uint16_t slot_of(std::string_view key);

class SlotMap {
 public:
  /// Replaces all by a reply to CLUSTER SLOTS; `asked` is the node that gave it, which may leave
  /// its own host out. False: not such a reply, nothing was changed.
  bool take(const RedisReply& reply, const RedisEndpoint& asked);
  /// One slot has moved.
  void move(std::uint16_t slot, const RedisEndpoint& to);
  /// The master of `slot`, if one is known.
  [[nodiscard]] const RedisEndpoint* master_of(std::uint16_t slot) const;
  [[nodiscard]] const std::vector<RedisEndpoint>& masters() const { return masters_; }

 private:
  std::uint16_t index_of(const RedisEndpoint& endpoint);

  std::vector<RedisEndpoint> masters_;
  std::vector<std::uint16_t> owner_;  // of each slot: its place in masters_ + 1; 0: nobody
};

struct Redirection {
  std::uint16_t slot = 0;
  RedisEndpoint to;
};
/// What `MOVED 3999 127.0.0.1:6381` or `ASK ...` says; nothing where the reply is neither.
[[nodiscard]] std::optional<Redirection> redirection(const RedisReply& reply,
                                                     const RedisEndpoint& asked);

}  // namespace tollgate::net
