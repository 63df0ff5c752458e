// The part of a call that goes on with a stream whose provider died or fell silent after the client
// had content: at the next target of its model, with the text so far.
#include <algorithm>

#include "gateway/app/generation.hpp"
#include "gateway/app/race.hpp"

namespace tollgate::app {

/// True: somebody reads the reply's text.
bool Generation::expect_continuation(const routing::Match& match) {
  continuation_.reset();
  if (!match.route->continue_streams || !Continuation::suits(*view_)) return false;
  continuation_ = std::make_unique<Continuation>(match);
  return true;
}

/// A stream may last for minutes; with its first content the last use of the request is over,
/// unless another provider may have to go on with it.
void Generation::release_request() {
  if (continuation_ && continuation_->possible()) return;
  released_ = true;
  if (begun_) std::string().swap(run_.limit_fields);  // the head is out
  if (forwarder_) forwarder_->release_request();
  view_->shape = {};
  view_->body = {};
  body_.release();
}

void Generation::note_text() {
  continuation_->take(batch_);
  if (!continuation_->continued()) return;
  call_.outcome.usage = continuation_->usage();
  call_.outcome.usage_from_provider = continuation_->exact();
}

bool Generation::may_continue(const Error& why) const {
  if (call_.abort.aborted() || call_.deserted || !continuation_->possible()) return false;
  if (attempts_left() == 0 || std::chrono::steady_clock::now() >= call_.deadline) return false;
  return why.retry != Retry::never;
}

/// After a failure of a reply that the client has seen a part of. Error: it ends here.
Result<routing::Step> Generation::continue_stream(Error why) {
  if (continuation_->finished() && !call_.abort.aborted()) {
    if (cache_) cache_->forget();
    return routing::Step::end;
  }
  if (continuation_->continued() && !forwarder_->shown() && why.origin != Origin::gateway) {
    // What a target says of a request of our own making is no verdict on the client's.
    why.origin = Origin::gateway;
    why.retry = Retry::other_target;
  }
  const bool may = may_continue(why);
  why = continuation_->remember(std::move(why));
  if (forwarder_->shown()) {
    Outcome& outcome = call_.outcome;
    continuation_->end_attempt(
        services_.treasury.estimates.estimate(outcome.upstream_model, view_->body.size(), 1).input);
    outcome.usage = continuation_->usage();
    outcome.usage_from_provider = continuation_->exact();
  }
  if (!may) return std::unexpected(std::move(why));
  if (cache_) cache_->forget();
  if (continuation_->left(*view_) == 0) {
    continuation_->end_at_limit(batch_);
    note_batch();
    encoder().encode(batch_, pieces_);
    return routing::Step::end;
  }
  const auto target = next_target();
  if (!target) return std::unexpected(std::move(why));
  auto begun = continue_at(*target);
  if (!begun) return std::unexpected(std::move(why));
  batch_.clear();
  return routing::Step::batch;
}

/// The first in the usual order that this call has not asked yet (one that was let go in a race is
/// none that has failed); else, as far as calls are retried, one that it has, the last one last.
std::optional<routing::Target> Generation::next_target() {
  const routing::ChoiceFacts facts = choice_facts(*route_);
  auto targets = routing::choose_targets(continuation_->match(), facts).targets;
  const auto& attempts = call_.outcome.attempts;
  for (routing::Target& target : targets) {
    const bool asked = std::ranges::any_of(attempts, [&](const AttemptOutcome& attempt) {
      return attempt.error != hedge_lost && went_to(attempt, target);
    });
    if (!asked && continuation_->first_time(target)) return std::move(target);
  }
  if (attempts.size() >= route_->retry.attempts) return std::nullopt;
  const auto last = std::ranges::find_if(
      targets, [&](const routing::Target& target) { return went_to(attempts.back(), target); });
  if (last != targets.end()) std::rotate(last, last + 1, targets.end());
  for (routing::Target& target : targets) {
    const bool may = target.repeats != nullptr && continuation_->once_more(target);
    if (may && target.repeats->take(facts.now)) return std::move(target);
  }
  return std::nullopt;
}

/// Reserved and sent at the next step of the pump, as any attempt is.
Result<void> Generation::continue_at(const routing::Target& target) {
  const auto left = continuation_->left(*view_);
  forwarder_ = nullptr;
  own_forwarder_.reset();
  auto ready = continuation_->request_for(*view_, target);
  if (!ready) return std::unexpected(ready.error());
  wire::RequestView& view = **ready;
  view.set_defaults(&route_->defaults);
  if (left) view.max_tokens = static_cast<std::int64_t>(*left);
  spending_.consider(terms(*route_), view);
  view.limit_output(left);
  routing::RetryRules once = route_->retry;
  once.attempts = 1;
  forwarder_ =
      &own_forwarder_.emplace(call_,
                              routing::ForwardPlan{.view = view,
                                                   .targets = {target},
                                                   .retry = once,
                                                   .refuse_unsupported = route_->refuse_unsupported,
                                                   .full_events = true,
                                                   .own_keys = &run_.key->tenant->provider_keys,
                                                   .tokens = choice_facts(*route_).tokens},
                              services_.upstream, gate_);
  services_.shared.metrics.count_continuation(home_->name);
  return {};
}

}  // namespace tollgate::app
