// The part of a call that the cache decides: an equal one may have been answered before.
#include <algorithm>

#include "gateway/app/generation.hpp"
#include "gateway/net/pause.hpp"
#include "policies/cache/pieces.hpp"

namespace tollgate::app {

/// After authorisation: what a key may not ask for it is not told either.
void Generation::ask_cache(const routing::Match& match) {
  cache::MemoryCache* const store = services_.shared.cache;
  if (store == nullptr) return;
  const CacheQuestion question{
      .tenant = *run_.key->tenant, .match = match, .view = *view_, .wish = run_.cache_wish};
  cache_ = std::make_unique<CacheTurn>(*store, *run_.plan->config.cache, question,
                                       std::chrono::steady_clock::now());
  call_.outcome.cache = cache_->result();
  append_header(run_.cache_fields, "x-tollgate-cache", call_.outcome.cache);
  if (hit()) append_header(run_.cache_fields, "age", std::to_string(cache_->age().count()));
}

/// A call that no provider will see counts a request, and is refused like any other.
Awaitable<Result<void>> Generation::admit_answered() {
  auto admitted =
      co_await spending_.admit_uncharged(*run_.key, run_.plan->scopes.of_model(route_->name));
  if (!admitted) co_return admitted;
  if (!hit()) {
    co_return fail(ErrorKind::cache_miss,
                   "The request says only-if-cached, and there is no stored reply that it may "
                   "have.");
  }
  co_return Result<void>{};
}

/// Answers from the stored reply, under an id and at a time of its own. Policies see it as they see
/// any reply. It cost nothing, and its tokens were counted for the call that brought it.
Awaitable<Result<void>> Generation::replay() {
  const cache::ReplyFacts& facts = cache_->reply()->facts;
  Outcome& outcome = call_.outcome;
  outcome.provider = facts.provider;
  outcome.upstream_model = facts.upstream_model;
  const auto provider = run_.plan->providers.find(outcome.provider);
  if (provider != run_.plan->providers.end()) outcome.provider_kind = provider->second->kind;
  outcome.cost = 0;
  outcome.avoided = facts.cost.value_or(0);
  const bool paced = view_->stream && services_.loop != nullptr &&
                     run_.plan->config.cache->replay == config::CacheReplay::paced;
  auto done = paced ? co_await replay_paced() : replay_at_once();
  outcome.usage = {};
  outcome.usage_from_provider = false;
  if (done) encoder().finish(pieces_);
  co_return done;
}

Result<void> Generation::replay_at_once() {
  batch_.clear();
  batch_.hold(cache_->block());
  for (const StreamEvent& event : cache_->reply()->events)
    batch_.push(event);
  auto passed = watches_.on_frames(batch_);
  if (!passed) return passed;
  note_batch();
  encoder().encode(batch_, pieces_);
  return {};
}

/// About as fast as a quick model; never longer than the call may last.
Awaitable<Result<void>> Generation::replay_paced() {
  constexpr std::size_t piece_bytes = 12;
  constexpr auto pace = std::chrono::milliseconds(25);
  cache::ReplyPieces pieces(*cache_->reply(), cache_->block(), piece_bytes);
  SteadyTime due = std::chrono::steady_clock::now();
  for (batch_.clear(); pieces.next(batch_); batch_.clear()) {
    auto written = co_await on_batch();
    if (!written) co_return written;
    const SteadyTime since = std::chrono::steady_clock::now();
    due += pace;
    auto rested =
        co_await net::pause(services_.loop->io, std::min(due, call_.deadline), call_.abort);
    call_.waited += std::chrono::steady_clock::now() - since;
    if (!rested) co_return rested;
  }
  co_return Result<void>{};
}

/// The provider has said all: before the client has its last byte, so that it finds the reply when
/// it asks again.
void Generation::keep_reply() {
  const Outcome& outcome = call_.outcome;
  if (spending_.cut_to() > 0) cache_->forget();
  cache_->keep({.provider = outcome.provider,
                .upstream_model = outcome.upstream_model,
                .model = {},
                .dropped = forwarder_->dropped(),
                .cost = outcome.cost},
               forwarder_->hints().relay, std::chrono::steady_clock::now());
}

}  // namespace tollgate::app
