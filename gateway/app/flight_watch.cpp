#include "gateway/app/flight_watch.hpp"

#include "gateway/app/poll_pace.hpp"
#include "policies/cache/live_reply.hpp"
#include "policies/cache/redis.hpp"
#include "policies/cache/shared_flights.hpp"

namespace tollgate::app {
namespace {

using cache::SharedFlights;
using policies::ReplyLog;
using State = SharedFlights::State;

/// Nobody reads the flight any more. Told on any thread, looked at on the watch's.
struct Deserted final : ReplyLog::Waiter {
  void wake() noexcept override { told.store(true, std::memory_order_release); }
  std::atomic<bool> told{false};
};

/// True: what was kept is whole, and the followers have it.
bool give(cache::Flights::Lead& lead, std::string_view bytes) {
  const auto reply = cache::read_reply(bytes);
  if (!reply) return false;
  lead.append(cache::live_facts(reply->facts));
  Batch batch;
  for (const StreamEvent& event : reply->events)
    batch.push(event);
  lead.append(cache::live_events(batch));
  lead.end(ReplyLog::State::done);
  return true;
}

/// How it ended; `running`: nobody waits any more.
Awaitable<SharedFlights::Ending> wait(const Services& services, const WatchedFlight& flight) {
  const auto deserted = std::make_shared<Deserted>();
  SharedFlights::Ending ending{.state = State::running};
  if (!flight.lead->hand_on(deserted)) co_return ending;
  PollPace pace;
  while (ending.state == State::running) {
    co_await pace.rest(services.loop->io);
    if (deserted->told.load(std::memory_order_acquire)) break;
    auto now =
        co_await services.shared_flights->look(flight.entry, flight.owner, flight.plan->envelope);
    if (now) ending = std::move(*now);
    if (!pace.goes_on(now.has_value())) ending = {};
  }
  co_return ending;
}

/// The entry that the other has left. Of one that is lost, what stands there must be from this
/// time.
Awaitable<bool> hand_over(const Services& services, const WatchedFlight& flight, State state,
                          SystemTime since) {
  if (state == State::failed) co_return false;
  const auto found = co_await services.shared_cache->find(
      flight.entry, flight.plan->envelope, flight.plan->config.cache->max_entry.count);
  if (!found || !*found) co_return false;
  if (state == State::lost && (*found)->stored_at < since) co_return false;
  co_return give(*flight.lead, (*found)->bytes);
}

Awaitable<void> watch(const Services& services, WatchedFlight flight) {
  cache::FlightTerms& terms = services.shared_flights->terms();
  const SystemTime since = std::chrono::system_clock::now();
  const SharedFlights::Ending ending = co_await wait(services, flight);
  if (ending.state == State::running) {
    services.shared_flights->leave(flight.entry, flight.owner);
    co_return;
  }
  const bool given = co_await hand_over(services, flight, ending.state, since);
  (given          ? terms.given
   : ending.error ? terms.refused
                  : terms.lost)
      .fetch_add(1, std::memory_order_relaxed);
  if (!given) flight.lead->end(ReplyLog::State::failed, ending.error);
}

}  // namespace

void watch_flight(const Services& services, WatchedFlight flight) {
  start(watch(services, std::move(flight)));
}

}  // namespace tollgate::app
