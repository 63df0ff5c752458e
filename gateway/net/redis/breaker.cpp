#include "gateway/net/redis/breaker.hpp"

#include <algorithm>

namespace tollgate::net {

bool RedisBreaker::admit(SteadyTime now) {
  if (state_ == State::closed) return true;
  if (state_ == State::probing || now < until_) return false;
  state_ = State::probing;
  return true;
}

void RedisBreaker::succeeded() {
  state_ = State::closed;
  failures_ = 0;
  wait_ = first_wait;
}

void RedisBreaker::failed(SteadyTime now) {
  // Calls sent before it opened may still fail: they say nothing new.
  if (state_ == State::open) return;
  if (state_ == State::closed && ++failures_ < failures_max) return;
  if (state_ == State::probing) wait_ = std::min(wait_ * 2, longest_wait);
  state_ = State::open;
  until_ = now + wait_;
}

}  // namespace tollgate::net
