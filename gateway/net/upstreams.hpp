// Upstreams: all ways of one worker to a provider: sockets for real ones, the in-process demo for
// its own. Owns what the client side of a worker needs; what workers share is UpstreamShared.
// Destroyed before its io_context and after every reply it gave.
#pragma once
#include <boost/asio/io_context.hpp>
#include <string>

#include "gateway/net/demo_upstream.hpp"
#include "gateway/net/http_upstream.hpp"

namespace tollgate::net {

/// Made once in main; any thread.
struct UpstreamShared {
  TlsClientContexts tls;
  ProxySettings proxies;
  HttpUpstreamSettings settings;
};

class Upstreams final : public routing::Upstream {
 public:
  Upstreams(boost::asio::io_context& io, Deadlines& deadlines, UpstreamShared& shared);
  /// With names from `names` instead of c-ares; for tests.
  Upstreams(boost::asio::io_context& io, Deadlines& deadlines, UpstreamShared& shared,
            std::unique_ptr<DnsSource> names);

  Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> send(
      const routing::UpstreamRequest& request) override;
  Awaitable<Result<void>> pause(SteadyTime until, AbortSlot& slot) override;
  /// Closes idle connections; no name is asked for any more. On the worker's thread, at its end.
  void close();
  [[nodiscard]] const UpstreamStats& stats() const { return stats_; }

 private:
  boost::asio::io_context& io_;
  UpstreamStats stats_;
  Resolver resolver_;
  HttpUpstream http_;
  DemoUpstream demo_;
};

}  // namespace tollgate::net
