#include "gateway/app/race.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::app {
namespace {

Error lost() {
  Error error = make_error(ErrorKind::draining, "Another target answered first.");
  error.code = hedge_lost;
  return error;
}

}  // namespace

void Race::abort() noexcept {
  for (Lane& lane : lanes_)
    lane.slot.abort(call_.abort.reason());
}

void Race::begin(routing::Forwarder& first, routing::Forwarder& second) {
  lanes_[0].forwarder = &first;
  lanes_[1].forwarder = &second;
}

void Race::run(Lane& lane, SteadyTime until) {
  lane.running = true;
  start(lane.forwarder->next(lane.batch, until),
        [this, &lane](const std::exception_ptr& thrown, Result<routing::Step> step) {
          lane.running = false;
          if (thrown) step = fail(ErrorKind::internal, "The gateway failed on this request.");
          lane.result = std::move(step);
          changed_.notify();
        });
}

/// There is something to tell the call.
bool Race::decided() const {
  const bool news =
      std::ranges::any_of(lanes_, [](const Lane& lane) { return lane.result && *lane.result; });
  return news || std::ranges::all_of(lanes_, &Lane::failed);
}

Awaitable<Result<routing::Step>> Race::next(Batch& out, SteadyTime until) {
  const SteadyTime since = std::chrono::steady_clock::now();
  const auto waited = call_.waited;
  for (Lane& lane : lanes_) {
    if (!lane.running && !lane.result) run(lane, until);
  }
  while (!decided())
    co_await changed_.wait();
  // Not twice what two have waited for.
  call_.waited = waited + (std::chrono::steady_clock::now() - since);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    if (!lane.result || !*lane.result || **lane.result == routing::Step::timeout) continue;
    winner_ = i;
    std::swap(out, lane.batch);
    co_return *lane.result;
  }
  if (std::ranges::all_of(lanes_, &Lane::failed)) co_return *lanes_[0].result;
  for (Lane& lane : lanes_) {
    if (!lane.failed()) lane.result.reset();
  }
  co_return routing::Step::timeout;
}

Awaitable<void> Race::stop(const Error& why) {
  const auto waited = call_.waited;
  for (Lane& lane : lanes_)
    lane.slot.abort(why);
  while (lanes_[0].running || lanes_[1].running)
    co_await changed_.wait();
  call_.waited = waited;
}

Awaitable<void> Race::cancel_loser() {
  Lane& loser = lanes_[1 - *winner_];
  const auto waited = call_.waited;
  if (loser.running) loser.slot.abort(lost());
  while (loser.running)
    co_await changed_.wait();
  call_.waited = waited;  // not what the loser has waited for besides
  loser.forwarder->close();
}

}  // namespace tollgate::app
