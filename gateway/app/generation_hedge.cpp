// The part of a call that asks a second target when the first one is slow, and takes the one that
// answers first.
#include <algorithm>

#include "gateway/app/generation.hpp"
#include "gateway/app/race.hpp"

namespace tollgate::app {

using routing::Step;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

/// The slot that the model's forwarder has to wait with; nullptr: the call's own.
AbortSlot* Generation::expect_hedge(const routing::Route& route) {
  const bool begun = hedge_ && hedge_->began != SteadyTime{};
  if (!begun && route.hedging && &route == home_) {
    hedge_ = std::make_unique<HedgeTurn>(call_, *route.hedging, route);
  }
  return hedge_ ? &hedge_->race.slot(0) : nullptr;
}

/// Of the first attempt's first content only; what comes after it is like any other reply.
Awaitable<Result<Step>> Generation::next_hedged() {
  HedgeTurn& hedge = *hedge_;
  if (hedge.began == SteadyTime{}) {
    hedge.began = steady_clock::now();
    const auto after = hedge.rules.enter(view_->stream);
    if (after && route_ == &hedge.route) hedge.at = hedge.began + *after;
  }
  for (;;) {
    if (hedge.racing) {
      auto step = co_await race();
      // Where both have failed, the rest of the targets is asked as if there had been no race.
      const bool ends =
          step || step.error().retry == Retry::never || call_.deserted || call_.abort.aborted();
      if (ends) co_return step;
    }
    const bool waits = !forwarder_->shown();
    auto step = co_await forwarder_->next(batch_, std::min(silence_until(), hedge.at));
    if (step && *step != Step::timeout) {
      if (waits) note_first_token();
      co_return step;
    }
    if (!step || steady_clock::now() < hedge.at) co_return step;
    hedge.at = never;
    hedge.racing = begin_race();
  }
}

void Generation::note_first_token() {
  hedge_->at = never;
  if (route_ != &hedge_->route) return;
  hedge_->rules.observe(view_->stream,
                        duration_cast<microseconds>(steady_clock::now() - hedge_->began));
}

/// A second request, where there is another target, and leave for it.
bool Generation::begin_race() {
  HedgeTurn& hedge = *hedge_;
  if (route_ != &hedge.route || !forwarder_->waits() || call_.deserted) return false;
  // Of a whole reply the head comes last: what is there is about to end.
  if (attempts_left() == 0 || (!view_->stream && forwarder_->head_seen())) return false;
  if (!forwarder_->has_other() || !hedge.rules.take()) return false;
  const routing::Target target = forwarder_->lend();
  routing::RetryRules once = route_->retry;
  once.attempts = 1;
  hedge.rival.emplace(
      call_,
      routing::ForwardPlan{.view = *view_,
                           .targets = {target},
                           .retry = once,
                           .refuse_unsupported = route_->refuse_unsupported,
                           .full_events = continuation_ || (cache_ && cache_->records()),
                           .own_keys = &run_.key->tenant->provider_keys,
                           .tokens = forwarder_->tokens(),
                           .slot = &hedge.race.slot(1)},
      services_.upstream, gate_);
  forwarder_->hold(true);
  hedge.race.begin(*forwarder_, *hedge.rival);
  return true;
}

/// Until one of them brings content. Error: neither does.
Awaitable<Result<Step>> Generation::race() {
  HedgeTurn& hedge = *hedge_;
  auto step = co_await hedge.race.next(batch_, silence_until());
  if (step && *step == Step::timeout) co_return step;
  hedge.racing = false;
  forwarder_->hold(false);
  forwarder_->limit_attempts(attempts_left());
  services_.shared.metrics.count_hedge(home_->name, !step                       ? "none"
                                                    : hedge.race.winner() == 0U ? "first"
                                                                                : "second");
  if (!step) {
    forwarder_->lent_failed(hedge.race.second_error(), hedge.rival->attempts() > 0);
    co_return step;
  }
  co_await hedge.race.cancel_loser();
  if (hedge.race.winner() == 1U) forwarder_ = &*hedge.rival;
  const routing::ProviderEntry& provider = *forwarder_->target()->provider;
  call_.outcome.provider = provider.name;
  call_.outcome.provider_kind = provider.kind;
  call_.outcome.upstream_model = forwarder_->target()->model;
  note_first_token();
  co_return step;
}

/// A call that ends while two requests run (its client has gone) ends both.
Awaitable<void> Generation::stop_race() {
  if (!hedge_->racing) co_return;
  hedge_->racing = false;
  const bool gone = call_.abort.aborted();
  co_await hedge_->race.stop(gone ? call_.abort.reason()
                                  : make_error(ErrorKind::client_gone, "The client has gone."));
}

}  // namespace tollgate::app
