// The part of a call that leads equal ones, or would, where replicas share the cache's Redis: one
// of them asks the provider, and the others wait for what it leaves there.
#include "gateway/app/flight_watch.hpp"
#include "gateway/app/generation.hpp"

namespace tollgate::app {

using cache::SharedFlights;

/// It leads in this process by now. Where Redis does not answer it leads here alone.
Awaitable<void> Generation::lead_for_replicas() {
  if (services_.shared_flights == nullptr || !cache_->waits_there() || !cache_->records())
    co_return;
  const bool fresh = run_.cache_wish.no_cache;
  // A reply that another call has left meanwhile may be none that this one may have.
  for (bool anew = fresh || cache_->unfit();; anew = true) {
    auto answer =
        co_await services_.shared_flights->claim(cache_->entry(), call_.outcome.request_id, anew);
    if (!answer) co_return;
    switch (answer->word) {
      case SharedFlights::Word::granted:
        leads_->hold(std::move(answer->lease), run_.plan->envelope);
        co_return;
      case SharedFlights::Word::running:
        if (!fresh) co_return follow_replica(std::move(answer->owner), answer->leader);
        services_.shared_flights->leave(cache_->entry(), std::move(answer->owner));
        co_return;
      case SharedFlights::Word::stored:
        break;
    }
    co_await look_there();
    note_cache();
    if (!hit() && cache_->records()) continue;
    if (hit()) forget_reply();
    co_return;
  }
}

/// As do those that follow it already.
void Generation::follow_replica(std::string owner, std::string_view leader) {
  auto lead = leads_->give_up();
  leads_.reset();
  follows_ = lead->step_back(leader);
  watch_flight(services_, {.entry = cache_->entry(),
                           .owner = std::move(owner),
                           .lead = std::move(lead),
                           .plan = run_.plan});
  cache_->forget();
  note_cache();
}

Awaitable<void> Generation::look_there() {
  return cache_->look_there(run_.plan->envelope, std::chrono::system_clock::now());
}

}  // namespace tollgate::app
