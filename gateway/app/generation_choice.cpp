// The part of a call that decides where it goes: its model's targets in order, and the loop that
// tries them.
#include "gateway/app/generation.hpp"
#include "routing/health_watch.hpp"

namespace tollgate::app {

routing::ChoiceFacts Generation::choice_facts() const {
  routing::ChoiceFacts facts;
  facts.now = std::chrono::steady_clock::now();
  facts.random = services_.ids.random();
  facts.own_keys = &run_.key->tenant->provider_keys;
  return facts;
}

Result<void> Generation::start_forwarder(const routing::Match& match) {
  const routing::ChoiceFacts facts = choice_facts();
  routing::Choice choice = routing::choose_targets(match, facts);
  if (choice.targets.empty()) {
    return std::unexpected(routing::resting_error(choice.rest, facts.now));
  }
  routing::ForwardPlan plan{.view = *view_,
                            .targets = std::move(choice.targets),
                            .attempts_max = route_->attempts_max,
                            .refuse_unsupported = route_->refuse_unsupported,
                            .own_keys = facts.own_keys};
  forwarder_.emplace(call_, std::move(plan), services_.upstream, gate_);
  return {};
}

}  // namespace tollgate::app
