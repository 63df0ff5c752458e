// Worker: one core. Its own event loop, listener, upstream pool and front; nothing is shared on the
// path of a request but counters. Made and stopped by serve(), runs on its own thread.
#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "gateway/app/front.hpp"
#include "gateway/app/ledger_sink.hpp"
#include "gateway/app/prober.hpp"
#include "gateway/app/reply_link.hpp"
#include "gateway/app/services.hpp"
#include "gateway/app/store_link.hpp"
#include "gateway/net/deadlines.hpp"
#include "gateway/net/listener.hpp"
#include "gateway/net/upstreams.hpp"
#include "policies/cache/key_memo.hpp"

namespace tollgate::app {

/// What the workers share besides `Shared`.
struct Common {
  Shared& shared;
  policies::Treasury treasury;
  StorePlace* store_place;  ///< nullptr: the treasury's store is in this process
  ReplyPlaces& replies;
  net::ServerShared& server;
  net::UpstreamShared& upstream;
  const net::TlsServerContext& tls;  ///< used while the plan says TLS
};

class Worker {
 public:
  Worker(const Common& common, std::shared_ptr<const Plan> plan);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Opens the listener; before `start`. Error: one sentence.
  Result<void> open(const boost::asio::ip::tcp::endpoint& where);
  void start();
  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return listener_.endpoint(); }

  // From the control thread; each is posted to the worker's own.
  void apply(std::shared_ptr<const Plan> plan);
  void probe(std::shared_ptr<Probe> probe);
  void drain(std::function<void()> on_idle);
  void end_drain();
  /// Removes replies of the cache that stands in Redis; `done` is called on the worker's thread.
  void purge_cache(cache::RedisCache::Which which, std::function<void(Result<std::uint64_t>)> done);
  /// Ends the loop once idle and joins the thread.
  void stop();

  [[nodiscard]] const net::UpstreamStats& upstream_stats() const { return upstreams_.stats(); }

 private:
  void run();
  [[nodiscard]] policies::Treasury treasury_of(const Common& common);
  [[nodiscard]] cache::RedisCache* cache_of(const Common& common);

  boost::asio::io_context io_{1};
  net::Deadlines deadlines_{io_};
  const Loop loop_{io_, deadlines_};
  net::Upstreams upstreams_;
  std::optional<StoreLink> store_link_;
  std::optional<ReplyLink> reply_link_;
  MetricsSink metrics_;
  cache::KeyMemo key_memo_;
  BudgetWarnings warnings_;
  LedgerSink ledger_;
  RowSink rows_;
  Services services_;
  GatewayFront front_;
  net::Listener listener_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace tollgate::app
