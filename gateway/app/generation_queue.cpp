// The part of a call that waits: all targets of its model are at their providers' limits, and the
// model has a queue.
#include "gateway/app/generation.hpp"

namespace tollgate::app {

/// A call stands in its model's queue once, before its first attempt; true when it does now.
bool Generation::joins_queue(const Error& why) {
  const bool at_limit =
      why.kind == ErrorKind::upstream_rate_limited && why.origin == Origin::gateway;
  if (!at_limit || !route_->queue || queue_joined_ || forwarder_->attempts() > 0) return false;
  join_queue();
  return queue_turn_ != nullptr;
}

void Generation::join_queue() {
  queue_joined_ = true;
  auto places = forwarder_->places();
  if (places.empty() || !route_->waiting || services_.loop == nullptr) return;
  const std::string& tenant = run_.key->tenant->name;
  const auto& tenants = run_.plan->config.tenants;
  const auto known = tenants.find(tenant);
  queue_turn_ = std::make_unique<QueueTurn>(
      *services_.loop, call_, *route_->waiting, *route_->queue,
      routing::Waiter::Wish{.tenant = tenant,
                            .weight = known == tenants.end() ? 1 : known->second.weight,
                            .tokens = forwarder_->tokens(),
                            .places = std::move(places)});
}

/// As the forwarder's own next step; the first one waits for the call's turn.
Awaitable<Result<routing::Step>> Generation::next_in_turn(SteadyTime until) {
  auto turn = co_await queue_turn_->next(until);
  if (turn && !*turn) co_return routing::Step::timeout;
  if (turn) forwarder_->call_up(queue_turn_->take(), queue_turn_->pass());
  queue_turn_.reset();
  if (!turn) co_return std::unexpected(std::move(turn.error()));
  co_return co_await forwarder_->next(batch_, until);
}

}  // namespace tollgate::app
