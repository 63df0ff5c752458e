// The part of a call that the cache decides: an equal one may have been answered before.
#include "gateway/app/generation.hpp"

namespace tollgate::app {

/// After authorisation: what a key may not ask for it is not told either.
void Generation::ask_cache(const routing::Match& match) {
  cache::MemoryCache* const store = services_.shared.cache;
  if (store == nullptr) return;
  const CacheQuestion question{
      .tenant = *run_.key->tenant, .match = match, .view = *view_, .wish = run_.cache_wish};
  cache_ = std::make_unique<CacheTurn>(*store, *run_.plan->config.cache, question,
                                       std::chrono::steady_clock::now(), services_.shared_cache);
}

/// The same over the store that replicas share, if there is one.
Awaitable<void> Generation::ask_shared_cache() {
  co_await cache_->look_there(run_.plan->envelope, std::chrono::system_clock::now());
}

void Generation::note_cache() {
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
/// any reply. It cost nothing; the tokens are those of the call that brought it.
Result<void> Generation::replay() {
  const cache::StoredReply& stored = *cache_->reply();
  Outcome& outcome = call_.outcome;
  outcome.provider = stored.facts.provider;
  outcome.upstream_model = stored.facts.upstream_model;
  const auto provider = run_.plan->providers.find(outcome.provider);
  if (provider != run_.plan->providers.end()) outcome.provider_kind = provider->second->kind;
  outcome.cost = 0;
  outcome.avoided = stored.facts.cost.value_or(0);
  batch_.clear();
  batch_.hold(cache_->block());
  for (const StreamEvent& event : stored.events)
    batch_.push(event);
  auto passed = watches_.on_frames(batch_);
  if (!passed) return passed;
  note_batch();
  outcome.usage = {};
  outcome.usage_from_provider = false;
  encoder().encode(batch_, pieces_);
  encoder().finish(pieces_);
  return {};
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
