// RESP2: commands to bytes, and, by hiredis' reader, bytes to replies, cut wherever the network
// cuts them. Pure; used by the handshake and the pipeline on their worker's thread.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "policies/store/redis_port.hpp"

struct redisReader;

namespace tollgate::net {

using policies::RedisReply;

/// Appends one command to `out`.
void append_command(std::string& out, std::span<const std::string_view> args);

class ReplyReader {
 public:
  ReplyReader();
  /// Takes bytes as they came.
  void feed(std::string_view bytes);
  /// The next whole reply; nothing: more bytes are needed. Error: internal, these bytes are no
  /// RESP, and nothing that follows can be trusted.
  Result<std::optional<RedisReply>> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace tollgate::net
