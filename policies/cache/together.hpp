// Together: several commands to Redis at once. A hundred are on their way before the first is
// answered, so that many entries take few round trips, wherever they stand, and each of those the
// time of one command: what a thousand vectors come to (6 MB) takes longer. For this folder; the
// worker's thread.
#pragma once
#include <string>
#include <vector>

#include "policies/store/redis_port.hpp"

namespace tollgate::cache {

struct RedisCommand {
  std::vector<std::string> args;
  std::size_t key_at = 1;  ///< the argument by which its node is found
};

constexpr std::size_t together_most = 100;

/// Their answers, in order, each as RedisPort::call gives it; waits for all. Once one has none, no
/// more are asked: those have the same error. `port` must last until they are there.
Awaitable<std::vector<Result<policies::RedisReply>>> ask_together(
    policies::RedisPort& port, std::vector<RedisCommand> commands);

}  // namespace tollgate::cache
