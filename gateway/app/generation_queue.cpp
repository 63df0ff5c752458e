// The part of a call that waits: all targets of its model are at their providers' limits, and the
// model has a queue.
#include <algorithm>

#include "gateway/app/generation.hpp"

namespace tollgate::app {
namespace {

/// The tenant's, behind its parents'.
std::vector<routing::Waiter::Share> shares_of(const config::Config& config, std::string name) {
  std::vector<routing::Waiter::Share> shares;
  while (!name.empty()) {
    const auto known = config.tenants.find(name);
    const bool is_known = known != config.tenants.end();
    shares.push_back({std::move(name), is_known ? known->second.weight : 1});
    name = is_known ? known->second.parent : std::string();
  }
  std::ranges::reverse(shares);
  return shares;
}

}  // namespace

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
  queue_turn_ = std::make_unique<QueueTurn>(
      *services_.loop, call_, *route_->waiting, *route_->queue,
      routing::Waiter::Wish{.shares = shares_of(run_.plan->config, run_.key->tenant->name),
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
