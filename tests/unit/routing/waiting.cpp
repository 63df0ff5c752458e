#include "routing/waiting.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace tollgate::routing {

TEST_CASE("what an exchange noted ends a wait, in place of a look at the clock") {
  Call call;
  call.outcome.started_at = SystemTime(1000s);
  call.seen = call.started = SteadyTime(10s);
  {
    Waiting waiting(call);
    waiting.end({.sent = {}, .first_byte = {}, .looked = call.seen + 3s});
  }
  CHECK(call.waited == 3s);
  CHECK(call.seen == SteadyTime(13s));
  CHECK(call.seen_at() == SystemTime(1003s));
}

TEST_CASE("who did not wait has waited for nothing, and sees no earlier time") {
  Call call;
  call.seen = SteadyTime(10s);
  Waiting(call).end({.sent = {}, .first_byte = {}, .looked = SteadyTime(7s)});
  CHECK(call.waited == 0s);
  CHECK(call.seen == SteadyTime(10s));
}

TEST_CASE("where nothing was noted, and where a wait breaks off, the clock is looked at") {
  for (const bool ends : {true, false}) {
    Call call;
    const SteadyTime before = call.look();
    {
      Waiting waiting(call);
      if (ends) waiting.end({});
    }
    CHECK(call.seen >= before);
    CHECK(call.waited == call.seen - before);
  }
}

}  // namespace tollgate::routing
