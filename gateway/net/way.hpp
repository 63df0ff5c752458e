// Way: what all requests to one provider have in common, made once: through which proxy, under
// which key connections are pooled, the lines of the head that never change. Immutable; held by
// the upstream client and its exchanges, on the worker's thread.
#pragma once
#include <string>

#include "gateway/net/proxy.hpp"
#include "routing/target.hpp"

namespace tollgate::net {

struct Way {
  /// `proxy` may be nullptr.
  Way(const routing::ProviderEntry& provider, const Proxy* through);
  /// Whether it would be made the same for `provider`.
  [[nodiscard]] bool leads_to(const routing::ProviderEntry& provider) const;

  const Proxy* proxy;
  std::string key;            ///< connections of equal keys are interchangeable
  std::string before_target;  ///< a plain proxy wants the whole URL
  std::string host_line, proxy_line;

 private:
  routing::Address address_;
  routing::TlsSettings tls_;
};

}  // namespace tollgate::net
