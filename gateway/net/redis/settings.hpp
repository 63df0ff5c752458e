// RedisSettings: where Redis is and how to speak to it, from `store.redis` of the configuration
// with its URL taken apart. Made once at start-up by the application; a plain value.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "gateway/core/error.hpp"
#include "routing/target.hpp"

namespace tollgate::net {

struct RedisEndpoint {
  std::string host;
  std::uint16_t port = 6379;
  [[nodiscard]] std::string text() const;
  auto operator<=>(const RedisEndpoint&) const = default;
};

struct RedisSettings {
  config::RedisMode mode = config::RedisMode::single;
  RedisEndpoint endpoint;            ///< of the URL: the server, or one node of a cluster
  std::vector<RedisEndpoint> nodes;  ///< sentinels, or further nodes of the cluster
  std::string master;                ///< its name among the sentinels
  std::string user, password;
  unsigned database = 0;
  bool tls = false;
  routing::TlsSettings trust;
  std::chrono::milliseconds connect{50}, command{25};

  /// Takes the URL apart; error: internal, with a message without any part of the password.
  static Result<RedisSettings> from(const config::RedisConfig& config);
};

/// `host:port`, `[v6]:port` or a host alone; nothing where the port is none.
[[nodiscard]] std::optional<RedisEndpoint> redis_endpoint(std::string_view text,
                                                          std::uint16_t default_port);

}  // namespace tollgate::net
