// Connector: a new connection to a provider: name, TCP, the proxy's tunnel, TLS. The caller's
// Patience bounds all of it and ends it at once. One a worker; the upstream client calls it.
#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "gateway/net/dns.hpp"
#include "gateway/net/patience.hpp"
#include "gateway/net/proxy.hpp"
#include "gateway/net/tls.hpp"
#include "gateway/net/upstream_connection.hpp"
#include "routing/target.hpp"

namespace tollgate::net {

/// What the client side of one worker stands on; all outlive it.
struct UpstreamParts {
  boost::asio::io_context& io;
  Deadlines& deadlines;
  Resolver& resolver;
  TlsClientContexts& tls;
  const ProxySettings& proxies;
  UpstreamStats& stats;
};

/// Where a connection leads: a provider, through its proxy if there is one.
struct Destination {
  const routing::ProviderEntry& provider;
  const Proxy* proxy = nullptr;

  [[nodiscard]] const routing::Address& address() const { return provider.address; }
  /// Connections of equal keys are interchangeable. Replaces `into`.
  void write_key(std::string& into) const;
};

class Connector {
 public:
  explicit Connector(const UpstreamParts& parts) : parts_(parts) {}
  [[nodiscard]] const UpstreamParts& parts() const { return parts_; }

  /// Errors: upstream_error, or Patience's reason.
  Awaitable<Result<std::unique_ptr<UpstreamConnection>>> connect(Destination to, std::string key,
                                                                 Patience& patience);

 private:
  Awaitable<Result<std::unique_ptr<Stream>>> reach(Destination to, Patience& patience);
  Awaitable<Result<void>> tunnel(Destination to, Stream& stream, Patience& patience);
  Awaitable<Result<std::unique_ptr<Stream>>> secure(Destination to, std::unique_ptr<Stream> plain,
                                                    Patience& patience);
  UpstreamParts parts_;
};

}  // namespace tollgate::net
