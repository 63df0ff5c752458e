#include "gateway/app/worker.hpp"

#include <boost/asio/post.hpp>

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
      ledger_(common.shared.treasury.ledger),
      services_{.shared = common.shared,
                .plan = std::move(plan),
                .upstream = upstreams_,
                .metrics = metrics_,
                .warnings = warnings_,
                .sinks = {&metrics_, &common.shared.access_log.add_worker(), &ledger_},
                .ids = {},
                .pause = &pause_},
      front_(services_),
      listener_(io_, deadlines_, front_, common.server, settings_of(*services_.plan), &common.tls),
      work_(boost::asio::make_work_guard(io_)) {}

Worker::~Worker() { stop(); }

Result<void> Worker::open(const boost::asio::ip::tcp::endpoint& where) {
  return listener_.open(where);
}

void Worker::start() {
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

void Worker::drain(std::function<void()> on_idle) {
  boost::asio::post(io_, [this, on_idle = std::move(on_idle)] { listener_.drain(on_idle); });
}

void Worker::end_drain() {
  boost::asio::post(io_, [this] {
    listener_.end(make_error(ErrorKind::draining, "The gateway is shutting down."));
  });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(io_, [this] {
    upstreams_.close();
    deadlines_.stop();
    work_.reset();
  });
  thread_.join();
}

}  // namespace tollgate::app
