#include "policies/store/redis_port.hpp"

#include <array>
#include <openssl/evp.h>
#include <utility>

#include "gateway/core/hex.hpp"

namespace tollgate::policies {

RedisScript RedisScript::of(std::string source) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_Digest(source.data(), source.size(), digest.data(), &length, EVP_sha1(), nullptr);
  std::string sha1 = hex_of(std::span(digest).first(length));
  return {std::move(source), std::move(sha1)};
}

Awaitable<Result<RedisReply>> RedisPort::script(const RedisScript& script,
                                                std::string_view slot_key,
                                                std::span<const std::string_view> keys,
                                                std::span<const std::string_view> args) {
  const std::string key_count = std::to_string(keys.size());
  std::vector<std::string_view> command;
  command.reserve(3 + keys.size() + args.size());
  command.assign({"EVALSHA", script.sha1, key_count});
  command.insert(command.end(), keys.begin(), keys.end());
  command.insert(command.end(), args.begin(), args.end());
  auto reply = co_await call(slot_key, command);
  if (!reply || !reply->is_error("NOSCRIPT")) co_return reply;
  command[0] = "EVAL";
  command[1] = script.source;
  co_return co_await call(slot_key, command);
}

}  // namespace tollgate::policies
