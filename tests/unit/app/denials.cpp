#include "gateway/app/denials.hpp"

#include <doctest/doctest.h>
#include <thread>

#include "gateway/core/error.hpp"

using namespace tollgate;
using namespace tollgate::app;
using namespace std::chrono_literals;

namespace {

constexpr SystemTime noon{1'790'000'000s};

Outcome refused(std::string key, SystemTime when = noon,
                ErrorKind kind = ErrorKind::rate_limit_exceeded) {
  Outcome outcome;
  outcome.status = CallStatus::denied;
  outcome.key_id = std::move(key);
  outcome.model = "m";
  outcome.error = contract_code(kind);
  outcome.error_label = contract_code(kind);
  outcome.started_at = when - 1ms;
  outcome.ended_at = when;
  return outcome;
}

std::uint64_t merge_many(Denials& denials, int calls, const Outcome& outcome) {
  std::uint64_t merged = 0;
  for (int i = 0; i < calls; ++i)
    merged += denials.merge(outcome);
  return merged;
}

}  // namespace

TEST_CASE("beyond ten refusals a second of one key the rest is one row with a count (M29)") {
  Denials denials;
  CHECK(merge_many(denials, 1000, refused("a")) == 990);
  CHECK(merge_many(denials, 10, refused("b")) == 0);
  CHECK(denials.collect(noon).empty());  // their second is not over
  const auto rows = denials.collect(noon + 1s);
  REQUIRE(rows.size() == 1);
  CHECK((rows[0].key_id == "a" && rows[0].count == 990));
  CHECK(denials.collect(SystemTime::max()).empty());
}

TEST_CASE("each second and each reason has a row of its own (M29)") {
  Denials denials;
  merge_many(denials, 12, refused("a"));
  merge_many(denials, 3, refused("a", noon, ErrorKind::budget_exceeded));
  merge_many(denials, 15, refused("a", noon + 1s));
  const auto first = denials.collect(noon + 1s);
  REQUIRE(first.size() == 2);
  CHECK((first[0].error == "budget_exceeded" && first[0].count == 3));
  CHECK((first[1].error == "rate_limit_exceeded" && first[1].count == 2));
  const auto last = denials.collect(SystemTime::max());
  REQUIRE(last.size() == 1);
  CHECK(last[0].count == 5);
}

TEST_CASE("what differs between the merged is not said of their row (M29)") {
  Denials denials;
  Outcome call = refused("a");
  call.user = "ann";
  call.tags = {{"team", "red"}};
  merge_many(denials, 12, call);
  call.user = "bob";
  CHECK(denials.merge(call));
  const auto rows = denials.collect(SystemTime::max());
  REQUIRE(rows.size() == 1);
  CHECK((rows[0].user.empty() && rows[0].tags == call.tags && rows[0].count == 3));
}

TEST_CASE("403, 404, what was admitted and what was sent keep their rows (M29)") {
  Denials denials;
  Outcome admitted = refused("a");
  admitted.status = CallStatus::ok;
  Outcome forbidden = refused("a", noon, ErrorKind::model_not_allowed);
  Outcome unpriced = refused("a", noon, ErrorKind::model_unpriced);
  Outcome sent = refused("a", noon, ErrorKind::budget_exceeded);
  sent.attempts.emplace_back();
  for (const Outcome& outcome : {admitted, forbidden, unpriced, sent})
    CHECK(merge_many(denials, 50, outcome) == 0);
  CHECK(denials.collect(SystemTime::max()).empty());
}

TEST_CASE("no refusal is lost between workers (M29)") {
  Denials denials;
  std::atomic<std::uint64_t> apart{0};
  {
    std::vector<std::jthread> workers;
    for (int worker = 0; worker < 4; ++worker) {
      workers.emplace_back([&] {
        for (int i = 0; i < 5000; ++i)
          apart += !denials.merge(refused("a", noon + i % 2 * 100ms));
      });
    }
  }
  const auto rows = denials.collect(SystemTime::max());
  REQUIRE(rows.size() == 1);
  CHECK(apart == 10);
  CHECK(rows[0].count == 4 * 5000 - 10);
}
