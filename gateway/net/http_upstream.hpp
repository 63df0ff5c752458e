// HttpUpstream: the Upstream over sockets: pooled HTTP/1.1 connections, plain or TLS, direct or
// through a proxy. One a worker, on its thread; destroyed before its io_context and after every
// reply it gave.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>

#include "gateway/net/connector.hpp"
#include "gateway/net/pool.hpp"
#include "gateway/net/way.hpp"
#include "routing/upstream.hpp"

namespace tollgate::net {

struct HttpUpstreamSettings {
  PoolLimits pool;
  std::string user_agent = "tollgate";  ///< "tollgate/<version>"
};

class HttpUpstream final : public routing::Upstream {
 public:
  HttpUpstream(const UpstreamParts& parts, HttpUpstreamSettings settings = {});

  Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> send(
      const routing::UpstreamRequest& request) override;
  Awaitable<Result<void>> pause(SteadyTime until, AbortSlot& slot) override;

  [[nodiscard]] Pool& pool() { return pool_; }

 private:
  std::shared_ptr<const Way> way_to(const routing::ProviderEntry& provider);

  std::string user_agent_line_;
  Connector connector_;
  Pool pool_;
  std::unordered_map<const routing::ProviderEntry*, std::shared_ptr<const Way>> ways_;
};

}  // namespace tollgate::net
