#include "gateway/app/replica_watch.hpp"

#include "gateway/app/poll_pace.hpp"
#include "policies/idempotency/replicas.hpp"

namespace tollgate::app {
namespace {

using policies::ReplicaKeys;

Awaitable<void> watch(const Services& services, policies::IdempotencyTable::Lead lead) {
  const policies::ReplicaKey key{lead.id(), lead.fingerprint()};
  PollPace pace;
  for (bool goes_on = true; goes_on;) {
    co_await pace.rest(services.loop->io);
    const auto word = co_await services.replicas->look(key);
    if (word && *word != ReplicaKeys::Word::running) break;
    goes_on = pace.goes_on(word.has_value());
  }
  lead.end(policies::ReplyLog::State::failed);
}

}  // namespace

void watch_replica(const Services& services, policies::IdempotencyTable::Lead lead) {
  start(watch(services, std::move(lead)));
}

}  // namespace tollgate::app
