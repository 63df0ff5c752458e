// RedisScripts: the Lua programs of the Redis store (policies/store/redis/*.lua), each behind what
// all of them share. Made once with the store; immutable; any worker.
#pragma once
#include "policies/store/redis_port.hpp"

namespace tollgate::policies {

struct RedisScripts {
  /// All of them, with their names worked out.
  RedisScripts();
  RedisScript reserve, extend, settle, read, fill, renew, due, peek, run_out, answered, join;
};

}  // namespace tollgate::policies
