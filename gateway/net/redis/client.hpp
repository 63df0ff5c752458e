// RedisClient: the port of the Redis store for one worker, over one server, a group watched by
// sentinels or a cluster. Made by the worker, which stops it before its loop ends. The worker's
// thread.
#pragma once
#include <memory>

#include "gateway/net/redis/link.hpp"
#include "policies/store/redis_port.hpp"

namespace tollgate::net {

class RedisClient : public policies::RedisPort {
 public:
  /// Ends what waits; calls that come later fail at once. The loop must turn until they are gone.
  virtual void stop() = 0;
};

/// The client for `settings.mode`; connects at the first call. Keep it until its calls have ended.
[[nodiscard]] std::shared_ptr<RedisClient> redis_client(const RedisParts& parts,
                                                        const RedisSettings& settings);

/// A warning that is given the first time only.
[[nodiscard]] std::function<void(std::string_view)> once(
    std::function<void(std::string_view)> warn);

/// What an answer means that the node gave in place of ours: the error to hand on where the command
/// was surely not carried out (LOADING, READONLY, ...), else nothing.
[[nodiscard]] std::optional<Error> redis_refusal(const RedisReply& reply, RedisLink& link);

}  // namespace tollgate::net
