// Waiting: what a call waits for its provider, which is no overhead of the gateway's. Made by the
// attempt loop around each of its waits; it ends with the scope, or at the time that an exchange
// noted itself, so that a wait costs one look at the clock or none. The call's worker.
#pragma once
#include <algorithm>

#include "gateway/core/call.hpp"
#include "routing/upstream.hpp"

namespace tollgate::routing {

/// Counts the time from the call's last look at the clock as somebody else's, until the end of the
/// scope or what an exchange noted at the end of its last wait.
class Waiting {
 public:
  explicit Waiting(Call& call) : call_(call), since_(call.seen) {}
  ~Waiting() {
    if (!ended_) end();
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  void end() {
    ended_ = true;
    call_.waited += call_.look() - since_;
  }
  void end(const UpstreamTimes& times) {
    if (times.looked == SteadyTime{}) return end();
    ended_ = true;
    if (times.looked > since_) {  // else it did not wait
      call_.seen = std::max(call_.seen, times.looked);
      call_.waited += times.looked - since_;
    }
  }

 private:
  Call& call_;
  SteadyTime since_;
  bool ended_ = false;
};

}  // namespace tollgate::routing
