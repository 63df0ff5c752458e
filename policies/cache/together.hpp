// Together: several commands to Redis at once. All are on their way before the first is answered,
// so that many entries take one round trip, wherever they stand. For this folder; the worker's
// thread.
#pragma once
#include <string>
#include <vector>

#include "policies/store/redis_port.hpp"

namespace tollgate::cache {

struct RedisCommand {
  std::vector<std::string> args;
  std::size_t key_at = 1;  ///< the argument by which its node is found
};

/// Their answers, in order, each as RedisPort::call gives it; waits for all. `port` must last until
/// they are there.
Awaitable<std::vector<Result<policies::RedisReply>>> ask_together(
    policies::RedisPort& port, std::vector<RedisCommand> commands);

}  // namespace tollgate::cache
