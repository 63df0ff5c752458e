#include "gateway/net/upstreams.hpp"

#include "gateway/net/pause.hpp"

namespace tollgate::net {

Upstreams::Upstreams(boost::asio::io_context& io, Deadlines& deadlines, UpstreamShared& shared)
    : Upstreams(io, deadlines, shared, ares_source(io)) {}

Upstreams::Upstreams(boost::asio::io_context& io, Deadlines& deadlines, UpstreamShared& shared,
                     std::unique_ptr<DnsSource> names)
    : io_(io),
      resolver_(io, std::move(names)),
      http_({io, deadlines, resolver_, shared.tls, shared.proxies, stats_}, shared.settings),
      demo_(io, deadlines) {}

Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> Upstreams::send(
    const routing::UpstreamRequest& request) {
  return request.provider.address.in_process ? demo_.send(request) : http_.send(request);
}

Awaitable<Result<void>> Upstreams::pause(SteadyTime until, AbortSlot& slot) {
  return net::pause(io_, until, slot);
}

void Upstreams::close() {
  http_.pool().clear();
  resolver_.stop();
}

}  // namespace tollgate::net
