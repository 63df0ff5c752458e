#include "policies/ledger/record.hpp"

#include "calls.hpp"

using namespace tollgate;
using namespace tollgate::ledger;

TEST_CASE("a record is read as it was written") {
  Outcome call = ended_call(42);
  call.client_request_id = "theirs";
  call.user = std::string("a\0b", 3);
  call.tags = {{"team", "red"}, {"", ""}};
  call.endpoint = Endpoint::embeddings;
  call.stream = true;
  call.error = "upstream_error";
  call.finish = "stop";
  call.ttft = std::chrono::microseconds(-1);
  call.duration = std::chrono::microseconds(77);
  call.charged = nano_max;
  call.avoided = -3;
  call.cost.reset();
  call.cost_by_kind.tools = 9;
  call.usage.cache_write_1h = UINT64_MAX;
  call.count = 12;
  call.cache = "miss";
  call.trace_id = "4bf9";
  std::string bytes;
  write_intent(call, bytes);
  const auto read = read_outcome(RecordKind::intent, bytes);
  REQUIRE(read);
  const Outcome& back = *read;
  CHECK(back.request_id == call.request_id);
  CHECK(back.user == call.user);
  CHECK(back.tags == call.tags);
  CHECK(back.endpoint == call.endpoint);
  CHECK(back.ttft == call.ttft);
  CHECK(back.duration == call.duration);
  CHECK(back.charged == nano_max);
  CHECK(back.avoided == -3);
  CHECK_FALSE(back.cost);
  CHECK(back.cost_by_kind == call.cost_by_kind);
  CHECK(back.usage == call.usage);
  CHECK(back.count == 12);
  CHECK(back.trace_id == "4bf9");
  CHECK(back.attempts.size() == 1);
  // Writing what was read gives the same bytes: no member is lost.
  std::string again;
  write_intent(back, again);
  CHECK(again == bytes);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    CHECK_FALSE(read_outcome(RecordKind::intent, std::string_view(bytes).substr(0, cut)));
}

TEST_CASE(
    "a call without an end costs what was reserved, and what its attempts before cost (M25)") {
  Outcome call = begun_call(1, 700);
  AttemptOutcome failed = call.attempts.front();
  failed.status = CallStatus::error;
  failed.ended_at = at(2);
  failed.charged = 50;
  failed.cost = 50;
  call.attempts.insert(call.attempts.begin(), failed);
  make_unknown(call);
  CHECK(call.status == CallStatus::unknown);
  CHECK(call.charged == 750);
  CHECK(call.cost == 750);
  CHECK(call.cost_by_kind.total() == 750);
  CHECK(call.attempts[0].status == CallStatus::error);
  CHECK(call.attempts[1].status == CallStatus::unknown);
  CHECK(call.attempts[1].charged == 700);

  Outcome unpriced = begun_call(2, 0);
  unpriced.attempts[0].price_version.clear();
  make_unknown(unpriced);
  CHECK_FALSE(unpriced.cost);
}
