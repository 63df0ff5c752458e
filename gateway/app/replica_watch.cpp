#include "gateway/app/replica_watch.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "gateway/net/asio_task.hpp"
#include "policies/idempotency/replicas.hpp"

namespace tollgate::app {
namespace {

using policies::ReplicaKeys;

constexpr std::chrono::milliseconds first_pause{20}, longest_pause{500};
constexpr int failures_max = 3;

Awaitable<void> watch(const Services& services, policies::IdempotencyTable::Lead lead) {
  const policies::ReplicaKey key{lead.id(), lead.fingerprint()};
  auto pause = first_pause;
  for (int failures = 0; failures < failures_max;) {
    boost::asio::steady_timer timer(services.loop->io, pause);
    co_await timer.async_wait(net::as_task);
    pause = std::min(pause * 3 / 2, longest_pause);
    const auto word = co_await services.replicas->look(key);
    if (word && *word != ReplicaKeys::Word::running) break;
    failures = word ? 0 : failures + 1;
  }
  lead.end(policies::ReplyLog::State::failed);
}

}  // namespace

void watch_replica(const Services& services, policies::IdempotencyTable::Lead lead) {
  start(watch(services, std::move(lead)), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

}  // namespace tollgate::app
