// A call that waits for a place at one of its targets, and gets one.
#include "routing/forwarder.hpp"

namespace tollgate::routing {

std::vector<Waiter::Place> Forwarder::places() const {
  std::vector<Waiter::Place> places;
  for (std::size_t i = 0; i < turns_.targets().size(); ++i) {
    const Target& target = turns_.target(i);
    if (!target.health || !target.health->limit() || target.key == TargetHealth::foreign_key)
      continue;
    places.push_back({.health = target.health, .key = target.key, .target = i});
  }
  return places;
}

void Forwarder::call_up(const Waiter::Place& place, const Pass& pass) {
  previewed_ = previewed_ && turn_ && turn_->target == place.target;
  turn_ = turns_.call(place.target);
  watch_.hold(place.health, pass, std::chrono::steady_clock::now());
}

}  // namespace tollgate::routing
