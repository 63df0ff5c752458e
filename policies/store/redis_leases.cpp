#include "policies/store/redis_leases.hpp"

#include <array>
#include <openssl/rand.h>
#include <string_view>

#include "gateway/core/hex.hpp"
#include "gateway/core/task.hpp"

namespace tollgate::policies {
namespace {

/// What the list holds may be gone before the answer is here.
Awaitable<void> renew_one(RedisPort& port, const RedisScript& script, std::string name,
                          std::string owner, std::string millis) {
  const std::array<std::string_view, 1> keys{name};
  const std::array<std::string_view, 2> args{owner, millis};
  (void)co_await port.script(script, name, keys, args);
}

}  // namespace

void RedisLeases::renew(RedisPort& port, const RedisScript& script,
                        std::chrono::milliseconds millis) const {
  for (const RedisLease& lease : held_) {
    start(renew_one(port, script, lease.name, lease.owner, std::to_string(millis.count())));
  }
}

std::string random_word() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return {};
  return hex_of(bytes);
}

}  // namespace tollgate::policies
