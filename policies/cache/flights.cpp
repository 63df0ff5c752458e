#include "policies/cache/flights.hpp"

#include <utility>

namespace tollgate::cache {

Flights::Seat Flights::enter(const policies::Digest& key, std::string_view request_id, bool fresh) {
  const std::scoped_lock lock(mutex_);
  Seat seat;
  auto& place = flights_[key];
  if (!place) {
    place = std::make_shared<Flight>(*this);
    place->key = key;
    place->leader = request_id;
    seat.lead = std::make_unique<Lead>(*this, place);
  } else if (!fresh) {
    ++place->followers;
    ++followers_;
    seat.follower = std::make_unique<Follower>(*this, place);
  }
  return seat;
}

Flights::Stats Flights::stats() const {
  const std::scoped_lock lock(mutex_);
  return {.running = flights_.size(),
          .followers = followers_,
          .bytes = bytes_.load(std::memory_order_relaxed)};
}

/// Under the lock. Who comes from now on finds no such flight, and looks into the cache again.
void Flights::close(Flight& flight) {
  if (!std::exchange(flight.open, false)) return;
  flights_.erase(flight.key);
  ended_.fetch_add(1, std::memory_order_release);
}

/// Only the leader's worker asks.
bool Flights::grow(Flight& flight, std::uint64_t bytes) noexcept {
  constexpr std::uint64_t share = 8;
  if (flight.bytes + bytes > bytes_max_ / share) return false;
  if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes > bytes_max_) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  flight.bytes += bytes;
  return true;
}

Flights::Lead::~Lead() { end(ReplyLog::State::lost); }

void Flights::Lead::append(const Pieces& frames) {
  if (!ended_ && !flight_->log.append(frames, *this)) end(ReplyLog::State::lost);
}

void Flights::Lead::append(std::string_view frame) {
  Pieces pieces;
  pieces.view(frame);
  append(pieces);
}

void Flights::Lead::end(ReplyLog::State state, std::optional<Error> error) {
  if (std::exchange(ended_, true)) return;
  {
    const std::scoped_lock lock(flights_.mutex_);
    flights_.close(*flight_);
    flight_->when_deserted.reset();
  }
  flight_->log.end(state, std::move(error));
}

bool Flights::Lead::hand_on(std::shared_ptr<ReplyLog::Waiter> when_deserted) {
  if (ended_) return false;
  const std::scoped_lock lock(flights_.mutex_);
  if (flight_->followers > 0) {
    flight_->when_deserted = std::move(when_deserted);
    return true;
  }
  flights_.close(*flight_);
  return false;
}

std::unique_ptr<Flights::Follower> Flights::Lead::step_back(std::string_view leader) {
  const std::scoped_lock lock(flights_.mutex_);
  flight_->leader = leader;
  ++flight_->followers;
  ++flights_.followers_;
  return std::make_unique<Follower>(flights_, flight_);
}

std::string Flights::Follower::leader() const {
  const std::scoped_lock lock(flights_.mutex_);
  return flight_->leader;
}

Flights::Follower::~Follower() {
  std::shared_ptr<ReplyLog::Waiter> deserted;
  {
    const std::scoped_lock lock(flights_.mutex_);
    --flights_.followers_;
    if (--flight_->followers == 0 && flight_->when_deserted) {
      deserted = std::move(flight_->when_deserted);
      flights_.close(*flight_);
    }
  }
  if (deserted) deserted->wake();
}

}  // namespace tollgate::cache
