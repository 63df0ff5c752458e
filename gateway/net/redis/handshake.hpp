// RedisHandshake: what is said on a fresh connection before anything else, all in one write, and
// what its replies tell about the node. Pure; the link drives it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/redis/codec.hpp"
#include "gateway/net/redis/settings.hpp"

namespace tollgate::net {

/// What a node says about itself; empty: it did not.
struct RedisFacts {
  std::string replication_id, eviction;
};

class RedisHandshake {
 public:
  /// A sentinel has neither our database nor our password.
  enum class Peer : std::uint8_t { any, master, sentinel };
  RedisHandshake(const RedisSettings& settings, Peer peer);

  [[nodiscard]] const std::string& commands() const { return commands_; }
  [[nodiscard]] bool done() const { return at_ == steps_.size(); }
  /// The next reply. Error: internal, the node refuses us (its words, which hold no password).
  Result<void> take(const RedisReply& reply);
  [[nodiscard]] const RedisFacts& facts() const { return facts_; }

 private:
  enum class Step : std::uint8_t { auth, select, name, role, replication, memory };
  void say(Step step, std::initializer_list<std::string_view> args);

  std::string commands_;
  std::vector<Step> steps_;
  std::size_t at_ = 0;
  RedisFacts facts_;
};

}  // namespace tollgate::net
