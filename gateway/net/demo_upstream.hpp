// DemoUpstream: the demo provider's other end, inside this process: plays the script of a request
// in its own time, under the same limits and aborts as a real provider. One a worker.
#pragma once
#include <boost/asio/io_context.hpp>

#include "gateway/net/deadlines.hpp"
#include "routing/upstream.hpp"

namespace tollgate::net {

class DemoUpstream final : public routing::Upstream {
 public:
  DemoUpstream(boost::asio::io_context& io, Deadlines& deadlines)
      : io_(io), deadlines_(deadlines) {}

  Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> send(
      const routing::UpstreamRequest& request) override;
  Awaitable<Result<void>> pause(SteadyTime until, AbortSlot& slot) override;

 private:
  boost::asio::io_context& io_;
  Deadlines& deadlines_;
};

}  // namespace tollgate::net
