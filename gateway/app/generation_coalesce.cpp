// The part of a call that runs at the same time as equal ones: one of them asks the provider, and
// the others are given what it gets.
#include <algorithm>

#include "gateway/app/generation.hpp"
#include "gateway/app/reply_reader.hpp"
#include "policies/cache/live_reply.hpp"

namespace tollgate::app {
namespace {

using policies::ReplyLog;

constexpr std::string_view leader_tag = "tollgate:leader";

}  // namespace

/// Once the cache had nothing: asks for those that come meanwhile too, or waits for what another
/// asks for.
void Generation::take_seat(std::uint64_t ended_before) {
  cache::Flights* const flights = services_.shared.flights;
  if (flights == nullptr || services_.loop == nullptr || !cache_->records()) return;
  auto seat = flights->enter(cache_->key(), call_.outcome.request_id, run_.cache_wish.no_cache);
  follows_ = std::move(seat.follower);
  if (follows_) cache_->forget();
  if (!seat.lead) return;
  leads_ = std::make_unique<LeadCall>(std::move(seat.lead), *services_.loop, call_);
  // A leader that ended since the look has left its reply in the cache first.
  if (flights->ended() != ended_before) cache_->look_again(std::chrono::steady_clock::now());
  if (hit()) forget_reply();
}

/// Its reply, if one comes, is not the one that was asked for.
void Generation::forget_reply() {
  cache_->forget();
  restore_body();
  if (leads_) leads_->fail(make_error(ErrorKind::cache_miss, "Another model answers that call."));
}

/// What every target has refused (the request, or the purse is empty) others need not send again.
void Generation::tell_followers(Error why) {
  const auto asked = [this](const routing::Target& target) {
    return std::ranges::any_of(call_.outcome.attempts, [&](const AttemptOutcome& attempt) {
      return routing::went_to(attempt, target);
    });
  };
  if (why.retry == Retry::other_target && route_ && std::ranges::all_of(route_->targets, asked)) {
    why.retry = Retry::never;
  }
  leads_->fail(why);
}

/// The provider's next batch, for the cache and for those who wait.
Result<void> Generation::take_down() {
  if (leads_ && !leads_->begun() && spending_.cut_to() > 0) forget_reply();
  auto taken = cache_->take(batch_, forwarder_ != nullptr && forwarder_->hints().relay);
  if (!taken || !leads_) return taken;
  if (!leads_->begun()) leads_->begin(reply_facts());
  leads_->take(batch_, cache_->extras());
  return taken;
}

cache::ReplyFacts Generation::reply_facts() const {
  const Outcome& outcome = call_.outcome;
  return {.provider = outcome.provider,
          .upstream_model = outcome.upstream_model,
          .model = forwarder_->hints().relay ? cache_->model() : std::string(),
          .dropped = forwarder_->dropped(),
          .cost = outcome.cost};
}

/// Gives the leader's reply as it comes. True: `finish` sends what is left. False: this call has
/// to ask on its own.
Awaitable<Result<bool>> Generation::share() {
  call_.outcome.cost = 0;
  const auto log = follows_->log();
  auto state = co_await copy_events(log);
  // Not before: it may have been another replica's call.
  call_.outcome.tags.emplace_back(leader_tag, follows_->leader());
  if (!state) co_return std::unexpected(state.error());
  Outcome& outcome = call_.outcome;
  if (*state == ReplyLog::State::done) {
    outcome.avoided = given_ ? given_->cost.value_or(0) : 0;
    outcome.usage = {};
    outcome.usage_from_provider = false;
    encoder().finish(pieces_);
    co_return true;
  }
  const auto& error = log->error();
  if (error && holds_for_all(*error)) co_return std::unexpected(*error);
  if (released_) {
    co_return fail(ErrorKind::stream_cut,
                   "The call that this one shared was not answered to its end.");
  }
  co_return co_await ask_alone();
}

Awaitable<Result<ReplyLog::State>> Generation::copy_events(std::shared_ptr<ReplyLog> log) {
  ReplyReader reader(*services_.loop, std::move(log), call_);
  cache::LiveReader live;
  for (;;) {
    Pieces fresh;
    auto step = co_await reader.next(fresh, silence_until());
    if (!step) co_return std::unexpected(step.error());
    live.take(fresh);
    Result<void> sent;
    if (*step == ReplyReader::Step::timeout) sent = co_await on_silence();
    for (batch_.clear(); sent && live.next(batch_); batch_.clear()) {
      note_given(live.facts());
      if (!batch_.events.empty()) sent = co_await on_batch();
    }
    if (!sent) co_return std::unexpected(sent.error());
    if (!live.good()) co_return fail(ErrorKind::internal, "A shared reply cannot be read.");
    if (*step == ReplyReader::Step::end) co_return reader.state();
  }
}

/// Who answers the call that leads.
void Generation::note_given(const std::optional<cache::ReplyFacts>& facts) {
  if (!facts) return;
  given_ = *facts;
  note_provider(*facts);
}

/// After a leader that failed or was lost: once, and under this call's own limits and budgets.
Awaitable<Result<bool>> Generation::ask_alone() {
  if (call_.deserted) co_return std::unexpected(*run_.left);
  encoder_.reset();
  pieces_.clear();
  batch_.clear();
  given_.reset();
  follows_.reset();
  Outcome& outcome = call_.outcome;
  std::erase_if(outcome.tags, [](const auto& tag) { return tag.first == leader_tag; });
  outcome.ttft = std::chrono::microseconds(-1);
  outcome.finish.clear();
  outcome.usage = {};
  outcome.usage_from_provider = false;
  cache_->look_again(std::chrono::steady_clock::now());
  if (cache_->asks_there()) co_await look_there();
  note_cache();
  if (hit()) {
    auto replayed = co_await replay();
    if (!replayed) co_return std::unexpected(replayed.error());
    co_return true;
  }
  outcome.cost.reset();
  shorten_body();
  const auto match = run_.plan->routes.find(view_->model);
  if (!match) co_return fail(ErrorKind::model_not_found, "The model is not there any more.");
  auto started = start_forwarder(*match);
  if (!started) co_return std::unexpected(started.error());
  co_return false;
}

}  // namespace tollgate::app
