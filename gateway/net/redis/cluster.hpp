// ClusterClient: a Redis Cluster for one worker: keeps the map of slots and a link to each master,
// follows MOVED and ASK, asks again while slots change hands. The worker's thread.
#pragma once
#include <map>

#include "gateway/net/redis/client.hpp"
#include "gateway/net/redis/slots.hpp"

namespace tollgate::net {

class ClusterClient final : public RedisClient, public std::enable_shared_from_this<ClusterClient> {
 public:
  ClusterClient(RedisParts parts, RedisSettings settings);
  Awaitable<Result<RedisReply>> call(std::string_view slot_key,
                                     std::span<const std::string_view> args) override;
  [[nodiscard]] std::string replication_id(std::string_view slot_key) const override;
  [[nodiscard]] std::vector<std::string> key_of_each_node() const override;
  void stop() override;

 private:
  using Link = std::shared_ptr<RedisLink>;
  enum class Step : std::uint8_t { answered, redirected, wait };
  /// Where a call is to be sent next.
  struct Way {
    std::uint16_t slot = 0;
    std::optional<RedisEndpoint> ask;  // this node, this once
  };
  Awaitable<Link> link_for(const Way& way);
  Step look_at(const RedisReply& reply, const RedisEndpoint& asked, Way& way);
  Awaitable<void> pause();
  void begin_refresh();
  Awaitable<void> refresh(std::shared_ptr<ClusterClient> self);
  void drop_strangers();
  Link link(const RedisEndpoint& endpoint);

  RedisParts parts_;
  RedisSettings settings_;
  SlotMap slots_;
  std::map<RedisEndpoint, Link> links_;
  std::string failure_ = "no node was asked yet";
  Gathering gathering_;
  SteadyTime refresh_again_{};
  bool refreshing_ = false, doubtful_ = true, stopped_ = false;
};

}  // namespace tollgate::net
