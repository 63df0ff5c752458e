#include "config/redis_url.hpp"

#include <algorithm>

#include "config/values.hpp"

namespace tollgate::config {

std::optional<RedisPlace> parse_redis_place(std::string_view text) {
  constexpr std::uint64_t ports = 65535;
  if (text.find_first_of(" /?#@") != std::string_view::npos) return std::nullopt;
  RedisPlace place;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    place.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
  } else {
    place.host = text.substr(0, text.find(':'));
    text.remove_prefix(place.host.size());
  }
  if (place.host.empty()) return std::nullopt;
  if (text.empty()) return place;
  const auto port = parse_whole(text.substr(1));
  if (text.front() != ':' || !port || *port == 0 || *port > ports) return std::nullopt;
  place.port = static_cast<std::uint16_t>(*port);
  return place;
}

std::expected<RedisUrl, std::string_view> parse_redis_url(std::string_view url) {
  constexpr std::uint64_t databases = 1'000'000;
  RedisUrl parts;
  parts.tls = url.starts_with("rediss://");
  if (!parts.tls && !url.starts_with("redis://")) {
    return std::unexpected("the URL of Redis begins with redis:// or rediss://");
  }
  url.remove_prefix(url.find("://") + 3);
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    parts.user = url.substr(0, at);
    url.remove_prefix(at + 1);
  }
  const std::size_t slash = std::min(url.find('/'), url.size());
  parts.place = url.substr(0, slash);
  if (!parse_redis_place(parts.place)) {
    return std::unexpected("host and port of Redis cannot be read");
  }
  if (slash + 1 >= url.size()) return parts;
  const auto database = parse_whole(url.substr(slash + 1));
  if (!database || *database > databases) {
    return std::unexpected("what follows the host of Redis is the number of a database");
  }
  parts.database = static_cast<unsigned>(*database);
  return parts;
}

}  // namespace tollgate::config
