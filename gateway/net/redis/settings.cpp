#include "gateway/net/redis/settings.hpp"

#include <charconv>

#include "config/redis_url.hpp"

namespace tollgate::net {
namespace {

constexpr std::uint16_t redis_port = 6379, sentinel_port = 26379;

std::optional<unsigned> hex_byte(std::string_view two) {
  unsigned value = 0;
  if (two.size() != 2) return std::nullopt;
  const auto [end, failed] = std::from_chars(two.data(), two.data() + 2, value, 16);
  if (failed != std::errc{} || end != two.data() + 2) return std::nullopt;
  return value;
}

/// `p%40ss` is `p@ss`; a lone percent sign stands for itself.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? hex_byte(text.substr(i + 1, 2)) : std::nullopt;
    out += byte ? static_cast<char>(*byte) : text[i];
    if (byte) i += 2;
  }
  return out;
}

void take_user(std::string_view text, RedisSettings& into) {
  const std::size_t colon = text.find(':');
  into.user = percent_decoded(text.substr(0, colon));
  if (colon != std::string_view::npos) into.password = percent_decoded(text.substr(colon + 1));
}

Result<void> take_url(std::string_view text, RedisSettings& into) {
  const auto url = config::parse_redis_url(text);
  if (!url) return fail(ErrorKind::internal, "store.redis.url: " + std::string(url.error()));
  into.tls = url->tls;
  into.database = url->database;
  if (url->user) take_user(*url->user, into);
  into.endpoint = *redis_endpoint(url->place, redis_port);
  return {};
}

}  // namespace

std::string RedisEndpoint::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<RedisEndpoint> redis_endpoint(std::string_view text, std::uint16_t default_port) {
  const auto place = config::parse_redis_place(text);
  if (!place) return std::nullopt;
  return RedisEndpoint{std::string(place->host), place->port.value_or(default_port)};
}

Result<RedisSettings> RedisSettings::from(const config::RedisConfig& config) {
  RedisSettings made;
  made.mode = config.mode;
  made.master = config.master;
  made.trust = {config.tls.ca_file, config.tls.verify};
  made.connect = config.connect;
  made.command = config.command;
  if (auto taken = take_url(config.url.value, made); !taken) {
    return std::unexpected(taken.error());
  }
  const bool sentinel = config.mode == config::RedisMode::sentinel;
  for (const std::string& node : config.nodes) {
    const auto endpoint = redis_endpoint(node, sentinel ? sentinel_port : redis_port);
    if (!endpoint) return fail(ErrorKind::internal, "store.redis.nodes: " + node + " is no place");
    made.nodes.push_back(*endpoint);
  }
  if (made.nodes.empty()) made.nodes.push_back(made.endpoint);
  return made;
}

}  // namespace tollgate::net
