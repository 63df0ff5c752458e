#include "gateway/net/proxy.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>

#include "gateway/core/http.hpp"
#include "gateway/wire/base64.hpp"

namespace tollgate::net {
namespace {

namespace ip = boost::asio::ip;

std::optional<std::string> either_case(const ProxySettings::Lookup& lookup, std::string name) {
  auto value = lookup(name.c_str());
  if (!value) {
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    value = lookup(name.c_str());
  }
  if (value && value->empty()) value.reset();
  return value;
}

bool read_port(std::string_view text, std::uint16_t& port) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port != 0;
}

/// Cuts "host:port", "[::1]:port" or a bare host; `port` stays when there is none.
bool split_authority(std::string_view text, std::string_view& host, std::uint16_t& port) {
  host = text;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
  }
  if (host.empty()) return false;
  if (rest.empty()) return true;
  return rest.starts_with(':') && read_port(rest.substr(1), port);
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    const bool coded = text[i] == '%' && i + 2 < text.size() &&
                       std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    plain += coded ? static_cast<char>(byte) : text[i];
    if (coded) i += 2;
  }
  return plain;
}

std::optional<Proxy> parse_proxy(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    if (!iequals(url.substr(0, scheme), "http")) return std::nullopt;
    url.remove_prefix(scheme + 3);
  }
  url = url.substr(0, url.find('/'));
  Proxy proxy;
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    proxy.authorization = "Basic " + wire::base64_encode(percent_decoded(url.substr(0, at)));
    url.remove_prefix(at + 1);
  }
  std::string_view host;
  if (!split_authority(url, host, proxy.port)) return std::nullopt;
  proxy.host = host;
  return proxy;
}

bool in_network(std::string_view host, std::string_view network) {
  boost::system::error_code no;
  const auto address = ip::make_address(host, no);
  if (no) return false;
  if (address.is_v4()) {
    const auto range = ip::make_network_v4(std::string(network), no);
    return !no &&
           ip::network_v4(address.to_v4(), range.prefix_length()).canonical() == range.canonical();
  }
  const auto range = ip::make_network_v6(std::string(network), no);
  return !no &&
         ip::network_v6(address.to_v6(), range.prefix_length()).canonical() == range.canonical();
}

bool is_loopback(std::string_view host) {
  boost::system::error_code no;
  const auto address = ip::make_address(host, no);
  return iequals(host, "localhost") || (!no && address.is_loopback());
}

/// One NO_PROXY entry: "*", a host, a domain with or without a leading dot, "host:port", a network.
bool matches(std::string_view entry, std::string_view host, std::uint16_t port) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string_view::npos) return in_network(host, entry);
  std::string_view name;
  std::uint16_t only_port = port;
  if (!split_authority(entry, name, only_port) || only_port != port) return false;
  if (name.starts_with("*.")) name.remove_prefix(1);
  if (name.starts_with('.')) name.remove_prefix(1);
  if (iequals(host, name)) return true;
  return host.size() > name.size() && host[host.size() - name.size() - 1] == '.' &&
         iequals(host.substr(host.size() - name.size()), name);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> entries;
  while (!text.empty()) {
    std::string_view entry = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
    while (entry.starts_with(' '))
      entry.remove_prefix(1);
    while (entry.ends_with(' '))
      entry.remove_suffix(1);
    if (!entry.empty()) entries.emplace_back(entry);
  }
  return entries;
}

}  // namespace

Result<ProxySettings> ProxySettings::from_environment(const Lookup& lookup) {
  ProxySettings settings;
  const std::pair<const char*, std::optional<Proxy>*> both[] = {{"HTTP_PROXY", &settings.http_},
                                                                {"HTTPS_PROXY", &settings.https_}};
  for (const auto& [name, proxy] : both) {
    const auto url = either_case(lookup, name);
    if (!url) continue;
    *proxy = parse_proxy(*url);
    // The value may hold a password: it is not repeated.
    if (!*proxy) {
      return fail(ErrorKind::invalid_request,
                  std::string(name) + " is not of the form http://[user:password@]host[:port]");
    }
  }
  settings.exceptions_ = split_list(either_case(lookup, "NO_PROXY").value_or(""));
  return settings;
}

bool ProxySettings::excepted(std::string_view host, std::uint16_t port) const {
  if (is_loopback(host)) return true;  // a proxy's own loopback is never what was meant
  return std::ranges::any_of(exceptions_,
                             [&](const std::string& entry) { return matches(entry, host, port); });
}

const Proxy* ProxySettings::for_host(bool tls, std::string_view host, std::uint16_t port) const {
  const std::optional<Proxy>& proxy = tls ? https_ : http_;
  return proxy && !excepted(host, port) ? &*proxy : nullptr;
}

}  // namespace tollgate::net
