#include "gateway/net/redis/settings.hpp"

#include <charconv>

namespace tollgate::net {
namespace {

constexpr std::uint16_t redis_port = 6379, sentinel_port = 26379;

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

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

/// Removes and returns what stands before the last `at`; nothing where there is none.
std::optional<std::string_view> cut_before_last(std::string_view& text, char at) {
  const std::size_t found = text.rfind(at);
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view before = text.substr(0, found);
  text.remove_prefix(found + 1);
  return before;
}

void take_user(std::string_view text, RedisSettings& into) {
  const std::size_t colon = text.find(':');
  into.user = percent_decoded(text.substr(0, colon));
  if (colon != std::string_view::npos) into.password = percent_decoded(text.substr(colon + 1));
}

Result<void> take_url(std::string_view url, RedisSettings& into) {
  const auto wrong = [](std::string what) { return fail(ErrorKind::internal, std::move(what)); };
  into.tls = url.starts_with("rediss://");
  if (!into.tls && !url.starts_with("redis://")) {
    return wrong("store.redis.url: begins with neither redis:// nor rediss://");
  }
  url.remove_prefix(url.find("://") + 3);
  if (const auto user = cut_before_last(url, '@')) take_user(*user, into);
  const std::size_t slash = url.find('/');
  if (slash != std::string_view::npos && slash + 1 < url.size()) {
    const auto database = number<unsigned>(url.substr(slash + 1));
    if (!database) return wrong("store.redis.url: the database behind the host is no number");
    into.database = *database;
  }
  const auto endpoint = redis_endpoint(url.substr(0, slash), redis_port);
  if (!endpoint) return wrong("store.redis.url: host and port cannot be read");
  into.endpoint = *endpoint;
  return {};
}

}  // namespace

std::string RedisEndpoint::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<RedisEndpoint> redis_endpoint(std::string_view text, std::uint16_t default_port) {
  RedisEndpoint endpoint{{}, default_port};
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    endpoint.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = text.rfind(':');
    endpoint.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (endpoint.host.empty()) endpoint.host = "127.0.0.1";
  if (rest.empty()) return endpoint;
  const auto port = number<std::uint16_t>(rest.substr(1));
  if (rest.front() != ':' || !port || *port == 0) return std::nullopt;
  endpoint.port = *port;
  return endpoint;
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
