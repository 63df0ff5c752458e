#include <algorithm>
#include <cctype>

#include "config/load.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool valid_v6(std::string_view host) {
  const auto fits = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
  };
  return std::count(host.begin(), host.end(), ':') >= 2 &&
         std::all_of(host.begin(), host.end(), fits);
}

// Four numbers below 256.
bool valid_v4(std::string_view host) {
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? host.find('.') : host.size();
    if (dot == std::string_view::npos) return false;
    const auto number = parse_whole(host.substr(0, dot));
    if (!number || *number > 255) return false;
    host.remove_prefix(std::min(host.size(), dot + 1));
  }
  return host.empty();
}

bool valid_name(std::string_view host) {
  const auto fits = [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; };
  if (host.size() > 253 || !std::all_of(host.begin(), host.end(), fits)) return false;
  // Digits and dots alone are an address, or a mistake in one.
  const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host.empty() || !numeric || valid_v4(host);
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_whole(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed ? !valid_v6(host) : !valid_name(host)) return std::nullopt;
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool HostPort::loopback() const {
  if (host == "localhost" || host == "::1" || host == "[::1]") return true;
  return host.starts_with("127.") && valid_v4(host);
}

std::string HostPort::text() const {
  const bool bare_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace tollgate::config
