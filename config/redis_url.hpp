// The URL of `store.redis` taken apart, for whoever judges it when the file is read and for whoever
// connects by it later. Pure; views into the URL.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

namespace tollgate::config {

/// `redis://`, or `rediss://` with TLS, then `[user[:password]@]host[:port][/database]`.
struct RedisUrl {
  bool tls = false;
  std::optional<std::string_view> user;  ///< `user:password` as written, percent signs and all
  std::string_view place;                ///< a RedisPlace
  unsigned database = 0;
};
/// Error: what is wrong with it, never showing it: a password may stand in it.
[[nodiscard]] std::expected<RedisUrl, std::string_view> parse_redis_url(std::string_view url);

/// `host`, `host:port`, `[v6]`, `[v6]:port`; the host without its brackets.
struct RedisPlace {
  std::string_view host;
  std::optional<std::uint16_t> port;
};
[[nodiscard]] std::optional<RedisPlace> parse_redis_place(std::string_view text);

}  // namespace tollgate::config
