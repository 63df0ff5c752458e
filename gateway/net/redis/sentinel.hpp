// SentinelClient: Redis behind sentinels: asks them who the master is, again after each failure
// and now and then while all is well, and believes nobody who does not call itself master. One a
// worker; its thread.
#pragma once
#include <vector>

#include "gateway/net/redis/client.hpp"

namespace tollgate::net {

class SentinelClient final : public RedisClient,
                             public std::enable_shared_from_this<SentinelClient> {
 public:
  SentinelClient(RedisParts parts, RedisSettings settings);
  Awaitable<Result<RedisReply>> call(std::string_view slot_key,
                                     std::span<const std::string_view> args) override;
  [[nodiscard]] std::string replication_id(std::string_view slot_key) const override;
  void stop() override;

 private:
  using Link = std::shared_ptr<RedisLink>;
  Awaitable<void> find_master();
  Awaitable<void> ask_all(std::shared_ptr<SentinelClient> self);
  void follow(const RedisEndpoint& endpoint);

  RedisParts parts_;
  RedisSettings settings_;
  std::vector<Link> sentinels_;  // the one that answered last comes first
  Link master_;
  std::string failure_ = "no sentinel was asked yet";
  Gathering gathering_;
  SteadyTime ask_again_{};
  bool doubtful_ = true, asking_ = false, stopped_ = false;
};

}  // namespace tollgate::net
