// Server: the running process: workers, admin ports, signals, reload and the drain. Lives on the
// control thread (main); workers are told by posts.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <vector>

#include "gateway/app/reload.hpp"
#include "gateway/app/services.hpp"
#include "gateway/app/vault.hpp"
#include "gateway/app/worker.hpp"
#include "gateway/net/admin.hpp"

namespace tollgate::routing {
class HealthRegistry;
}

namespace tollgate::app {

class Server {
 public:
  Server(Log& log, AccessLog& access_log, Reloader& reloader, Vault& vault,
         routing::HealthRegistry& health);

  /// Binds every port and reads the certificates. Error: one sentence for the operator.
  Result<void> open();
  /// Serves until a signal ends it and everything is settled.
  void run();

 private:
  Result<void> open_workers();
  Result<void> open_admin();
  Result<void> open_tls();
  void publish(const std::shared_ptr<const Plan>& plan);
  void await_signal();
  void on_signal(int number);
  void begin_drain();
  void worker_idle();
  void stop();
  void poll();
  void send_probes();
  void write_denials(SystemTime now);
  void count(Metrics& metrics);
  void count_money(Metrics& metrics);
  void count_store(Metrics& metrics);
  void refill_store();
  void count_cache(Metrics& metrics);
  void count_idempotency(Metrics& metrics);
  [[nodiscard]] const config::Config& config() const { return reloader_.plan()->config; }

  Log& log_;
  Reloader& reloader_;
  Vault& vault_;
  routing::HealthRegistry& health_;
  Metrics metrics_;
  cache::MemoryCache cache_;
  cache::Flights flights_;
  Shared shared_;
  LedgerSink ledger_;  // of the control thread
  RowSink rows_;
  net::ServerShared server_shared_;
  net::TlsServerContext server_tls_;
  net::UpstreamShared upstream_shared_;
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer poll_timer_, drain_timer_, refill_timer_;
  std::vector<std::unique_ptr<net::AdminServer>> admin_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Prober prober_;
  std::size_t busy_workers_ = 0;
};

}  // namespace tollgate::app
