#include "gateway/net/way.hpp"

#include "gateway/net/connector.hpp"

namespace tollgate::net {

Way::Way(const routing::ProviderEntry& provider, const Proxy* through)
    : proxy(through), address_(provider.address), tls_(provider.tls) {
  Destination{provider, proxy}.write_key(key);
  const std::string authority = address_.authority();
  append_header(host_line, "host", authority);
  if (proxy == nullptr || address_.tls) return;
  before_target = "http://" + authority;
  if (!proxy->authorization.empty()) {
    append_header(proxy_line, "proxy-authorization", proxy->authorization);
  }
}

bool Way::leads_to(const routing::ProviderEntry& provider) const {
  const routing::Address& other = provider.address;
  return other.port == address_.port && other.tls == address_.tls && other.host == address_.host &&
         provider.tls == tls_;
}

}  // namespace tollgate::net
