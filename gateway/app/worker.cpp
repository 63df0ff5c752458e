#include "gateway/app/worker.hpp"

#include <boost/asio/post.hpp>

#include "gateway/net/asio_task.hpp"

namespace tollgate::app {
namespace {

std::shared_ptr<const net::ServerSettings> settings_of(const Plan& plan) {
  return std::make_shared<const net::ServerSettings>(
      net::ServerSettings{.limits = plan.config.listen.limits,
                          .timeouts = plan.config.listen.timeouts,
                          .tls = plan.config.listen.tls.has_value()});
}

}  // namespace

Worker::Worker(const Common& common, std::shared_ptr<const Plan> plan)
    : upstreams_(io_, deadlines_, common.upstream),
      metrics_(common.shared.metrics),
      warnings_(common.shared.log, common.shared.metrics, upstreams_),
      ledger_(common.treasury.ledger),
      rows_(common.shared.denials, common.shared.access_log.add_worker(), ledger_),
      services_{.shared = common.shared,
                .plan = std::move(plan),
                .upstream = upstreams_,
                .metrics = metrics_,
                .warnings = warnings_,
                .treasury = treasury_of(common),
                .sinks = {&metrics_, &rows_},
                .ids = {},
                .loop = &loop_,
                .shared_cache = cache_of(common),
                .shared_flights = reply_link_ ? reply_link_->flights() : nullptr,
                .replicas = reply_link_ ? reply_link_->keyed() : nullptr,
                .key_memo = &key_memo_},
      front_(services_),
      listener_(io_, deadlines_, front_, common.server, settings_of(*services_.plan), &common.tls),
      work_(boost::asio::make_work_guard(io_)) {}

Worker::~Worker() { stop(); }

/// The store is the worker's own where it stands in Redis.
policies::Treasury Worker::treasury_of(const Common& common) {
  if (common.store_place == nullptr) return common.treasury;
  store_link_.emplace(io_, deadlines_, *common.store_place, common.shared.log);
  return {.store = store_link_->store(),
          .estimates = common.treasury.estimates,
          .ledger = common.treasury.ledger,
          .store_outlives = common.treasury.store_outlives};
}

/// Nothing is made where no reply leaves this process.
cache::RedisCache* Worker::cache_of(const Common& common) {
  if (!common.replies.any()) return nullptr;
  reply_link_.emplace(io_, deadlines_, common.replies);
  return reply_link_->cache();
}

Result<void> Worker::open(const boost::asio::ip::tcp::endpoint& where) {
  return listener_.open(where);
}

void Worker::start() {
  if (store_link_) store_link_->start();
  if (reply_link_) reply_link_->start();
  thread_ = std::thread([this] { run(); });
}

/// An exception here is a bug that a session did not catch; the other connections go on.
void Worker::run() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& bug) {
      services_.shared.log.error(std::string("bug in a worker: ") + bug.what());
    }
  }
}

void Worker::apply(std::shared_ptr<const Plan> plan) {
  boost::asio::post(io_, [this, plan = std::move(plan)] {
    services_.plan = plan;
    listener_.apply(settings_of(*plan));
  });
}

void Worker::probe(std::shared_ptr<Probe> probe) {
  boost::asio::post(io_, [this, probe = std::move(probe)]() mutable {
    tollgate::start(send_probe(std::move(probe), upstreams_, services_.shared.log),
                    [](const std::exception_ptr&) {});
  });
}

void Worker::drain(std::function<void()> on_idle) {
  boost::asio::post(io_, [this, on_idle = std::move(on_idle)] { listener_.drain(on_idle); });
}

void Worker::end_drain() {
  boost::asio::post(io_, [this] {
    listener_.end(make_error(ErrorKind::draining, "The gateway is shutting down."));
  });
}

void Worker::purge_cache(cache::RedisCache::Which which,
                         std::function<void(Result<std::uint64_t>)> done) {
  boost::asio::post(io_, [this, which = std::move(which), done = std::move(done)] {
    net::spawn(io_, reply_link_->cache()->purge(which),
               [done](const std::exception_ptr& thrown, Result<std::uint64_t> gone) {
                 if (thrown) std::rethrow_exception(thrown);
                 done(std::move(gone));
               });
  });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(io_, [this] {
    upstreams_.close();
    if (store_link_) store_link_->stop();
    if (reply_link_) reply_link_->stop();
    deadlines_.stop();
    work_.reset();
  });
  thread_.join();
}

}  // namespace tollgate::app
