#include "gateway/app/server.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "gateway/app/admin_routes.hpp"
#include "gateway/app/target_report.hpp"
#include "routing/health_registry.hpp"

namespace tollgate::app {
namespace {

constexpr auto poll_every = std::chrono::seconds(1);
/// After the drain's end connections get this long to take their last bytes.
constexpr auto last_grace = std::chrono::seconds(10);
/// A second, of which 200 ms is what a ledger's writer waits for a batch.
constexpr auto rows_travel = std::chrono::seconds(1);
/// Request bodies held at one time, all connections together.
constexpr std::uint64_t buffered_bytes_max = 1ULL << 30U;

std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

std::size_t worker_count(const config::Listen& listen) {
  if (listen.workers > 0) return listen.workers;
  return std::max(1U, std::thread::hardware_concurrency());
}

/// Without a section it is made as it would be with an empty one: a reload may bring it.
config::CacheConfig cache_rules(const config::Config& config) {
  return config.cache.value_or(config::CacheConfig{});
}

}  // namespace

Server::Server(Log& log, AccessLog& access_log, Reloader& reloader, Vault& vault,
               routing::HealthRegistry& health)
    : log_(log),
      reloader_(reloader),
      vault_(vault),
      health_(health),
      cache_(cache_rules(reloader.plan()->config).max_bytes.count,
             cache_rules(reloader.plan()->config).max_entry.count),
      flights_(cache_rules(reloader.plan()->config).max_bytes.count),
      shared_{.log = log,
              .access_log = access_log,
              .metrics = metrics_,
              .cache = &cache_,
              .flights = &flights_,
              .idempotency = &vault.idempotency()},
      ledger_(&vault.ledger()),
      rows_(shared_.denials, access_log.add_worker(), ledger_),
      server_shared_(buffered_bytes_max),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      poll_timer_(io_),
      drain_timer_(io_),
      refill_timer_(io_) {}

Result<void> Server::open() {
  auto proxies = net::ProxySettings::from_environment([](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
  if (!proxies) return std::unexpected(proxies.error());
  upstream_shared_.proxies = std::move(*proxies);
  upstream_shared_.settings.user_agent = "tollgate/" TOLLGATE_VERSION;
  metrics_.on_scrape([this](Metrics& metrics) { count(metrics); });
  for (auto step : {&Server::open_tls, &Server::open_workers, &Server::open_admin}) {
    auto done = (this->*step)();
    if (!done) return done;
  }
  reloader_.attach(log_, metrics_, [this](const auto& plan) { publish(plan); });
  return {};
}

Result<void> Server::open_tls() {
  const auto& tls = config().listen.tls;
  if (!tls) return {};
  return server_tls_.load(tls->cert_file, tls->key_file);
}

Result<void> Server::open_workers() {
  auto where = net::probe(config().listen.http);
  if (!where) return std::unexpected(where.error());
  const Common common{.shared = shared_,
                      .treasury = vault_.treasury(),
                      .store_place = vault_.place(),
                      .replies = vault_.replies(),
                      .server = server_shared_,
                      .upstream = upstream_shared_,
                      .tls = server_tls_};
  for (std::size_t i = 0; i < worker_count(config().listen); ++i) {
    workers_.push_back(std::make_unique<Worker>(common, reloader_.plan()));
    auto opened = workers_.back()->open(*where);
    if (!opened) return opened;
  }
  return {};
}

Result<void> Server::open_admin() {
  const config::Listen& listen = config().listen;
  const auto add = [&](const config::HostPort& where, std::vector<net::AdminRoute> routes,
                       std::string token) -> Result<void> {
    auto endpoint = net::probe(where);
    if (!endpoint) return std::unexpected(endpoint.error());
    admin_.push_back(std::make_unique<net::AdminServer>(io_, std::move(routes), std::move(token)));
    return admin_.back()->open(*endpoint);
  };
  if (listen.admin) {
    Worker* const purger = vault_.replies().cache ? workers_.front().get() : nullptr;
    auto opened =
        add(*listen.admin, admin_routes(shared_, reloader_, purger), listen.admin_token.value);
    if (!opened) return opened;
    log_.info("admin listening on " + text_of(admin_.back()->endpoint()));
  }
  if (listen.metrics) {
    auto opened = add(*listen.metrics, probe_routes(shared_), {});
    if (!opened) return opened;
    log_.info("metrics listening on " + text_of(admin_.back()->endpoint()));
  }
  return {};
}

void Server::run() {
  vault_.start();
  vault_.when_lost([this] { boost::asio::post(io_, [this] { refill_store(); }); });
  await_signal();
  poll();
  for (const auto& worker : workers_)
    worker->start();
  log_.info("tollgate " TOLLGATE_VERSION " listening on " + text_of(workers_.front()->endpoint()) +
            " with " + std::to_string(workers_.size()) + " workers, configuration " +
            config().source);
  io_.run();
  log_.info("stopped");
}

/// Redis has lost what it held. Rows of other replicas are on their way to the shared ledger for a
/// moment: the sums are read behind them.
void Server::refill_store() {
  log_.error("the store has lost its data: budgets are filled again from the ledger");
  refill_timer_.expires_after(rows_travel);
  refill_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed) return;
    vault_.reread([this] { boost::asio::post(io_, [this] { vault_.refill(*reloader_.plan()); }); });
  });
}

void Server::publish(const std::shared_ptr<const Plan>& plan) {
  if (auto loaded = open_tls(); !loaded) {
    log_.error("certificate not reloaded, the old one stays in use: " + loaded.error().message);
  }
  upstream_shared_.tls.clear();
  log_.set_level(plan->config.log.level);
  vault_.apply(plan->config);
  if (config().listen.admin) admin_.front()->set_token(plan->config.listen.admin_token.value);
  if (!plan->config.cache) cache_.purge({});
  for (const auto& worker : workers_)
    worker->apply(plan);
}

void Server::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& failed, int number) {
    if (failed) return;
    await_signal();
    on_signal(number);
  });
}

void Server::on_signal(int number) {
  if (number == SIGHUP) {
    shared_.access_log.reopen();
    reloader_.reload("SIGHUP");
  } else if (shared_.draining.exchange(true)) {
    log_.warn("second signal: ending at once");
    shared_.access_log.stop();
    std::_Exit(1);
  } else {
    begin_drain();
  }
}

void Server::begin_drain() {
  const auto drain = config().listen.timeouts.drain;
  log_.info("draining: no new connections, running requests have " + std::to_string(drain.count()) +
            " ms");
  health_.dismiss_waiters();
  busy_workers_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->drain([this] { boost::asio::post(io_, [this] { worker_idle(); }); });
  }
  drain_timer_.expires_after(drain);
  drain_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed) return;
    log_.warn("drain time is over: ending what still runs");
    for (const auto& worker : workers_)
      worker->end_drain();
    drain_timer_.expires_after(last_grace);
    drain_timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (cancelled) return;
      log_.error("connections are left that do not end; leaving them");
      write_denials(SystemTime::max());
      vault_.stop();
      shared_.access_log.stop();
      std::_Exit(0);
    });
  });
}

void Server::worker_idle() {
  if (--busy_workers_ == 0) stop();
}

void Server::stop() {
  for (const auto& worker : workers_)
    worker->stop();
  write_denials(SystemTime::max());
  vault_.stop();
  shared_.access_log.stop();
  io_.stop();
}

void Server::write_denials(SystemTime now) {
  for (const Outcome& row : shared_.denials.collect(now))
    rows_.write(row);
}

void Server::poll() {
  poll_timer_.expires_after(poll_every);
  poll_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed) return;
    reloader_.poll();
    write_denials(std::chrono::system_clock::now());
    send_probes();
    poll();
  });
}

void Server::send_probes() {
  if (shared_.draining) return;
  for (auto& probe : prober_.due(*reloader_.plan(), std::chrono::steady_clock::now()))
    workers_.front()->probe(std::move(probe));
}

/// What is counted elsewhere, read at each scrape.
void Server::count(Metrics& metrics) {
  metrics.gauge("tollgate_build_info", "1; the version is a label.", 1,
                {{"version", TOLLGATE_VERSION}});
  metrics.gauge("tollgate_in_flight", "Authenticated requests under way.", shared_.in_flight);
  metrics.gauge("tollgate_connections", "Open client connections.", server_shared_.connections);
  metrics.raise("tollgate_access_log_dropped_total", "Access-log lines lost under pressure.",
                static_cast<double>(shared_.access_log.dropped()));
  count_money(metrics);
  count_store(metrics);
  count_targets(metrics, reloader_.plan()->routes, std::chrono::steady_clock::now());
  count_queues(metrics, reloader_.plan()->routes);
  if (config().cache) count_cache(metrics);
  vault_.replies().count(metrics);
  count_idempotency(metrics);
  double connects = 0, reused = 0, dns = 0, handshakes = 0, failures = 0, open = 0;
  for (const auto& worker : workers_) {
    const net::UpstreamStats& stats = worker->upstream_stats();
    connects += static_cast<double>(stats.connects);
    failures += static_cast<double>(stats.connect_failures);
    reused += static_cast<double>(stats.reused);
    dns += static_cast<double>(stats.dns_failures);
    handshakes += static_cast<double>(stats.tls_handshakes);
    open += static_cast<double>(stats.open);
  }
  metrics.raise("tollgate_upstream_connects_total", "Connections made to providers.", connects);
  metrics.raise("tollgate_upstream_connect_failures_total",
                "Connections to providers that could not be made.", failures);
  metrics.raise("tollgate_upstream_reused_total", "Requests sent on a kept connection.", reused);
  metrics.raise("tollgate_upstream_dns_failures_total", "Provider names that did not resolve.",
                dns);
  metrics.raise("tollgate_upstream_tls_handshakes_total", "TLS handshakes with providers.",
                handshakes);
  metrics.gauge("tollgate_upstream_connections", "Open connections to providers, idle ones too.",
                open);
}

void Server::count_store(Metrics& metrics) {
  if (vault_.place() == nullptr) return;
  const policies::RedisCounts counts = vault_.place()->shared.counts();
  metrics.gauge("tollgate_store_up", "0 while Redis does not answer: on_error holds.",
                counts.away ? 0 : 1);
  metrics.raise("tollgate_store_errors_total", "Questions that Redis did not answer.",
                static_cast<double>(counts.errors));
  metrics.raise("tollgate_store_degraded_total", "Calls that on_error admitted or denied.",
                static_cast<double>(counts.degraded));
  metrics.gauge("tollgate_store_unfinished", "Settlements that wait until Redis answers.",
                static_cast<double>(counts.unfinished));
  metrics.raise("tollgate_store_leases_run_out_total",
                "Calls of gateways that are gone, charged as spent.",
                static_cast<double>(counts.run_out));
}

void Server::count_cache(Metrics& metrics) {
  const cache::Flights::Stats shared = flights_.stats();
  metrics.gauge("tollgate_coalesce_running", "Calls that equal ones may share right now.",
                static_cast<double>(shared.running));
  metrics.gauge("tollgate_coalesce_followers", "Calls that are given the reply of an equal one.",
                static_cast<double>(shared.followers));
  metrics.gauge("tollgate_coalesce_bytes", "Memory that their replies take meanwhile.",
                static_cast<double>(shared.bytes));
  if (vault_.replies().cache) return;
  const cache::MemoryStats stats = cache_.stats();
  metrics.gauge("tollgate_cache_bytes", "Memory that kept replies take.",
                static_cast<double>(stats.bytes));
  metrics.gauge("tollgate_cache_entries", "Replies that are kept.",
                static_cast<double>(stats.entries));
  metrics.raise("tollgate_cache_evictions_total", "Replies that went to make room.",
                static_cast<double>(stats.evictions));
  metrics.raise("tollgate_cache_expirations_total", "Replies that were asked for after their time.",
                static_cast<double>(stats.expirations));
}

void Server::count_money(Metrics& metrics) {
  constexpr double usd = 1e-9;
  const Store::Totals totals = vault_.store().totals();
  metrics.gauge("tollgate_reserved_usd", "Held by running calls, US dollars.",
                static_cast<double>(totals.reserved) * usd);
  metrics.raise("tollgate_spent_usd", "Charged since the process began, US dollars.",
                static_cast<double>(totals.spent) * usd);
  const ledger::Stats books = vault_.ledger().stats();
  metrics.gauge("tollgate_ledger_queue", "Rows in the journal that the database has not yet.",
                static_cast<double>(books.rows_waiting));
  metrics.gauge("tollgate_ledger_queue_bytes", "Bytes of the journal in use.",
                static_cast<double>(books.bytes_waiting));
  metrics.gauge("tollgate_ledger_intents", "Attempts under way that have no row yet.",
                static_cast<double>(books.intents_open));
  metrics.raise("tollgate_ledger_rows_total", "Rows written to the database.",
                static_cast<double>(books.rows_written));
  metrics.raise("tollgate_ledger_dropped_total", "Rows lost: the journal could not be written.",
                static_cast<double>(books.dropped));
  metrics.raise("tollgate_ledger_write_failures_total", "Failed writes to the ledger's database.",
                static_cast<double>(books.write_failures));
  metrics.raise("tollgate_ledger_recovered_total",
                "Calls that a crash cut off, booked as unknown at the start.",
                static_cast<double>(books.recovered_unknown));
}

void Server::count_idempotency(Metrics& metrics) {
  const auto stats = vault_.idempotency().stats();
  metrics.gauge("tollgate_idempotency_entries", "Calls with an Idempotency-Key that are known.",
                static_cast<double>(stats.entries));
  metrics.gauge("tollgate_idempotency_running", "Of those: still running.",
                static_cast<double>(stats.running));
  metrics.gauge("tollgate_idempotency_bytes", "Memory taken by them and their replies.",
                static_cast<double>(stats.bytes));
  metrics.raise("tollgate_idempotency_evicted_total", "Replies forgotten before their time.",
                static_cast<double>(stats.evicted));
  const auto raise = [&](const char* outcome, std::uint64_t count) {
    metrics.raise("tollgate_idempotency_calls_total",
                  "Calls with an Idempotency-Key, by what became of them.",
                  static_cast<double>(count), {{"outcome", outcome}});
  };
  raise("run", stats.led);
  raise("joined", stats.joined);
  raise("replayed", stats.replayed);
  raise("reused", stats.reused);
  raise("unknown", stats.unknown);
  raise("full", stats.full);
}

}  // namespace tollgate::app
