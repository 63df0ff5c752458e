// ProxySettings: which proxy, if any, leads to a host, by the usual environment variables
// (HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in capitals or not). Pure; made once at start, read by the
// connector.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"

namespace tollgate::net {

struct Proxy {
  std::string host;
  std::uint16_t port = 80;
  std::string authorization;  ///< value of Proxy-Authorization, or empty
  bool operator==(const Proxy&) const = default;
};

class ProxySettings {
 public:
  using Lookup = std::function<std::optional<std::string>(const char* name)>;
  /// Error: invalid_request, naming the variable that is no `http://[user:password@]host[:port]`.
  static Result<ProxySettings> from_environment(const Lookup& lookup);
  /// The proxy for `host`:`port`, or nullptr for a direct way.
  [[nodiscard]] const Proxy* for_host(bool tls, std::string_view host, std::uint16_t port) const;

 private:
  [[nodiscard]] bool excepted(std::string_view host, std::uint16_t port) const;

  std::optional<Proxy> http_, https_;
  std::vector<std::string> exceptions_;
};

}  // namespace tollgate::net
