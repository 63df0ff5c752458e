// The part of a call that the cache decides: an equal one may have been answered before.
#include <algorithm>
#include <stdexcept>

#include "gateway/app/generation.hpp"
#include "gateway/net/pause.hpp"
#include "policies/cache/pieces.hpp"

namespace tollgate::app {

/// After authorisation: what a key may not ask for it is not told either. True: replicas share a
/// store, and `ask_shared_cache` is to be awaited next.
bool Generation::ask_cache(const routing::Match& match) {
  cache::MemoryCache* const store = services_.shared.cache;
  if (!run_.plan->config.cache || store == nullptr) return false;
  if (services_.key_memo != nullptr) services_.key_memo->under(run_.plan);
  const CacheQuestion question{.tenant = *run_.key->tenant,
                               .match = match,
                               .view = *view_,
                               .wish = run_.cache_wish,
                               .memo = services_.key_memo};
  const cache::Flights* const flights = services_.shared.flights;
  const std::uint64_t ended = flights != nullptr ? flights->ended() : 0;
  cache_ = std::make_unique<CacheTurn>(*store, *run_.plan->config.cache, question,
                                       std::chrono::steady_clock::now(), services_.shared_cache);
  if (services_.shared_cache != nullptr) return true;
  sit_down(ended);
  return false;
}

/// The same over the store that replicas share.
Awaitable<void> Generation::ask_shared_cache() {
  const cache::Flights* const flights = services_.shared.flights;
  const std::uint64_t ended = flights != nullptr ? flights->ended() : 0;
  co_await look_there();
  sit_down(ended);
  if (leads_) co_await lead_for_replicas();
}

/// With or without a stored reply: among those who ask the same at this time.
void Generation::sit_down(std::uint64_t ended_before) {
  if (run_.plan->config.cache->coalesce) take_seat(ended_before);
  note_cache();
  if (!hit() && !follows_) shorten_body();
}

/// Asks for those inputs alone that are not stored.
void Generation::shorten_body() {
  const std::string_view shorter = cache_->shorten(*view_);
  if (shorter.empty()) return;
  read_again(shorter);
  call_.outcome.avoided = cache_->inputs()->avoided();
}

/// Another model's vectors do not go with the stored ones: it is asked for all.
void Generation::restore_body() {
  const std::string_view whole = cache_->whole_body();
  if (whole.empty()) return;
  read_again(whole);
  call_.outcome.avoided = 0;
}

void Generation::read_again(std::string_view body) {
  if (!read_view(body)) throw std::logic_error("a request that was read cannot be read again");
  run_under(*route_);
}

void Generation::note_cache() {
  call_.outcome.cache = follows_ ? "coalesced" : cache_->result();
  run_.cache_fields.clear();
  append_header(run_.cache_fields, "x-tollgate-cache", call_.outcome.cache);
  if (hit()) append_header(run_.cache_fields, "age", std::to_string(cache_->age().count()));
}

/// A call that no provider will see counts a request, and is refused like any other.
Awaitable<Result<void>> Generation::admit_answered(const routing::Match& match) {
  if (follows_) spending_.consider(terms(*match.route), *view_);
  auto admitted =
      co_await spending_.admit_uncharged(*run_.key, run_.plan->scopes.of_model(route_->name));
  if (!admitted) co_return admitted;
  if (!hit() && !follows_) co_return std::unexpected(not_stored());
  co_return Result<void>{};
}

Error Generation::not_stored() {
  return make_error(
      ErrorKind::cache_miss,
      "The request says only-if-cached, and there is no stored reply that it may have.");
}

/// Answers from the stored reply, under an id and at a time of its own. Policies see it as they see
/// any reply. It cost nothing, and its tokens were counted for the call that brought it.
Awaitable<Result<void>> Generation::replay() {
  const cache::ReplyFacts& facts = cache_->reply()->facts;
  Outcome& outcome = call_.outcome;
  note_provider(facts);
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

void Generation::note_provider(const cache::ReplyFacts& facts) {
  Outcome& outcome = call_.outcome;
  outcome.provider = facts.provider;
  outcome.upstream_model = facts.upstream_model;
  const auto provider = run_.plan->providers.find(outcome.provider);
  if (provider != run_.plan->providers.end()) outcome.provider_kind = provider->second->kind;
}

/// Of a reply that another call paid for; nullptr: this one's own, or nothing is known of it yet.
const cache::ReplyFacts* Generation::given() const {
  if (hit()) return &cache_->reply()->facts;
  return given_ ? &*given_ : nullptr;
}

const std::vector<std::string>& Generation::dropped() const {
  if (const cache::ReplyFacts* facts = given()) return facts->dropped;
  return forwarder_ ? forwarder_->dropped() : call_.outcome.dropped_params;
}

Result<void> Generation::replay_at_once() {
  call_.look();
  batch_.clear();
  batch_.hold(cache_->block());
  if (cache_->relays()) {
    const std::string id = reply_id();
    again_ = cache_->relay({.id = id, .created = unix_seconds(call_.outcome.started_at)}, batch_);
  }
  if (!again_) {
    for (const StreamEvent& event : cache_->reply()->events)
      batch_.push(event);
  }
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
  SteadyTime due = call_.look();
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
/// it asks again; and before those who share the call have theirs.
Awaitable<void> Generation::keep_reply() {
  if (spending_.cut_to() > 0) cache_->forget();
  const cache::ReplyFacts facts = reply_facts();
  cache_->keep(facts, std::chrono::steady_clock::now());
  if (cache_->has_kept()) co_await cache_->store_there(run_.plan->envelope);
  if (leads_) leads_->done(facts);
}

}  // namespace tollgate::app
