// Equal calls at the same time: who leads, who follows, when a flight is over, and what its bounds
// do; and that a reply read out of a log is the one that was written into it.
#include "policies/cache/flights.hpp"

#include <doctest/doctest.h>

#include "policies/cache/live_reply.hpp"

namespace tollgate::cache::test {
namespace {

constexpr policies::Digest key{1}, other_key{2};

struct Bell final : ReplyLog::Waiter {
  void wake() noexcept override { ++rung; }
  int rung = 0;
};

Pieces pieces(std::string text) {
  Pieces out;
  out.own(std::move(text));
  return out;
}

}  // namespace

TEST_CASE("flights: the first leads, the others follow until it has ended") {
  Flights flights(1U << 20U);
  auto first = flights.enter(key, "r1", false);
  REQUIRE(first.lead);
  const auto second = flights.enter(key, "r2", false);
  REQUIRE(second.follower);
  CHECK(second.follower->leader() == "r1");
  const auto fresh = flights.enter(key, "r3", true);
  CHECK((!fresh.lead && !fresh.follower));
  CHECK(flights.enter(other_key, "r4", true).lead);
  const auto before = flights.ended();
  first.lead->append(pieces("abc"));
  first.lead->end(ReplyLog::State::done);
  CHECK(flights.ended() != before);
  CHECK(flights.stats().running == 0);
  Pieces read;
  CHECK(second.follower->log()->read(0, read) == ReplyLog::State::done);
  CHECK(read.joined() == "abc");
  CHECK(flights.enter(key, "r5", false).lead);
}

TEST_CASE("flights: a leader that steps back follows, and all know who asks in its place") {
  Flights flights(1U << 20U);
  const auto bell = std::make_shared<Bell>();
  auto here = flights.enter(key, "r1", false);
  REQUIRE(here.lead);
  auto other = flights.enter(key, "r2", false).follower;
  auto own = here.lead->step_back("elsewhere");
  REQUIRE((own && other));
  CHECK(own->leader() == "elsewhere");
  CHECK(other->leader() == "elsewhere");
  CHECK(flights.stats().followers == 2);
  CHECK(here.lead->hand_on(bell));
  other.reset();
  CHECK(bell->rung == 0);
  const auto log = own->log();
  own.reset();
  CHECK(bell->rung == 1);
  here.lead->end(ReplyLog::State::failed);
  Pieces read;
  CHECK(log->read(0, read) == ReplyLog::State::failed);
  CHECK(flights.stats().followers == 0);
}

TEST_CASE("flights: a leader that goes hands its call on, or nobody can join any more") {
  Flights flights(1U << 20U);
  const auto bell = std::make_shared<Bell>();
  const auto alone = flights.enter(key, "r1", false);
  CHECK(!alone.lead->hand_on(bell));
  const auto next = flights.enter(key, "r2", false);
  REQUIRE(next.lead);
  auto follower = flights.enter(key, "r3", false).follower;
  CHECK(next.lead->hand_on(bell));
  auto late = flights.enter(key, "r4", false).follower;
  REQUIRE(late);
  follower.reset();
  CHECK(bell->rung == 0);
  late.reset();
  CHECK(bell->rung == 1);
  CHECK(flights.enter(key, "r5", false).lead);
  CHECK(flights.stats().followers == 0);
}

TEST_CASE("flights: without room the rest is lost, and its bytes come back with its last reader") {
  Flights flights(64U << 10U);  // one may take 8 KiB
  auto seat = flights.enter(key, "r1", false);
  auto follower = flights.enter(key, "r2", false).follower;
  seat.lead->append(pieces(std::string(6000, 'x')));
  CHECK(flights.stats().bytes >= 6000);
  seat.lead->append(pieces(std::string(6000, 'y')));
  Pieces read;
  CHECK(follower->log()->read(0, read) == ReplyLog::State::lost);
  CHECK(flights.stats().running == 0);
  seat.lead.reset();
  CHECK(flights.stats().bytes >= 6000);
  follower.reset();
  CHECK(flights.stats().bytes == 0);
}

TEST_CASE("live replies: what is read is what was written, however it is cut into parts") {
  const ReplyFacts facts{
      .provider = "p", .upstream_model = "u", .model = "m", .dropped = {"a"}, .cost = 7};
  Batch one, two;
  one.push(Started{.id = "up", .model = "u"});
  one.push(TextDelta{.choice = 0, .text = "Hello"});
  two.push(ToolDelta{.index = 1, .id = "c", .name = "f", .arguments = "{}", .signature = {}});
  two.push(Embedding{.index = 3, .floats = std::string_view("\0\0\x80\x3f", 4)});
  two.push(Finished{.reason = FinishReason::tool_calls});
  two.push(Ended{});
  const std::string bytes = live_facts(facts) + live_events(one) + live_events(two);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    CAPTURE(cut);
    Pieces parts;
    if (cut > 0) parts.view(std::string_view(bytes).substr(0, cut));
    parts.view(std::string_view(bytes).substr(cut));
    LiveReader reader;
    reader.take(parts);
    Batch read;
    REQUIRE(reader.next(read));
    CHECK(!reader.next(read));
    CHECK(reader.good());
    CHECK(*reader.facts() == facts);
    REQUIRE(read.events.size() == 5);
    CHECK(std::get<TextDelta>(read.events[1]).text == "Hello");
    CHECK(std::get<ToolDelta>(read.events[2]).arguments == "{}");
    CHECK(std::get<Embedding>(read.events[3]).floats == std::string_view("\0\0\x80\x3f", 4));
    CHECK(std::get<Finished>(read.events[4]).reason == FinishReason::tool_calls);
  }
}

}  // namespace tollgate::cache::test
