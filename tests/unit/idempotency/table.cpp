// The table's rules, one by one, with a clock that stands until it is set.
#include "policies/idempotency/table.hpp"

#include <doctest/doctest.h>

namespace tollgate::policies {
namespace {

using State = ReplyLog::State;
using std::chrono::minutes;

struct SetClock final : Clock {
  SteadyTime now{std::chrono::hours(1000)};
  [[nodiscard]] SteadyTime steady() const override { return now; }
};

KeyedCall call(std::string_view tenant, std::string_view key, std::string_view body = "{}") {
  return {.tenant = tenant, .endpoint = "/v1/chat/completions", .key = key, .body = body};
}

Pieces frames(std::string text) {
  Pieces pieces;
  pieces.own(std::move(text));
  return pieces;
}

/// A call from beginning to end with a reply of so many bytes.
void make(IdempotencyTable& table, const KeyedCall& asked, std::size_t bytes = 10) {
  auto entrance = table.enter(asked);
  REQUIRE(entrance);
  REQUIRE(entrance->lead);
  entrance->lead->append(frames(std::string(bytes, 'x')));
  entrance->lead->end(State::done);
}

ErrorKind refusal(IdempotencyTable& table, const KeyedCall& asked) {
  auto entrance = table.enter(asked);
  REQUIRE_FALSE(entrance);
  return entrance.error().kind;
}

bool replays(IdempotencyTable& table, const KeyedCall& asked) {
  auto entrance = table.enter(asked);
  return entrance && entrance->log && !entrance->running;
}

std::string text_of(const ReplyLog& log, State expected) {
  Pieces pieces;
  CHECK(log.read(0, pieces) == expected);
  return pieces.joined();
}

struct World {
  SetClock clock;
  IdempotencyTable table{clock};
};

}  // namespace

TEST_CASE("the second call with a key joins the running one and then gets its bytes") {
  World world;
  auto first = world.table.enter(call("t", "k"));
  REQUIRE(first->lead);
  first->lead->begin({.status = 200, .stream = true, .fields = "a: b\r\n"});
  first->lead->append(frames("one"));

  auto joined = world.table.enter(call("t", "k"));
  REQUIRE(joined->log);
  CHECK(joined->running);
  CHECK(text_of(*joined->log, State::running) == "one");
  CHECK(joined->log->head()->fields == "a: b\r\n");

  first->lead->append(frames("two"));
  first->lead->end(State::done);
  CHECK(text_of(*joined->log, State::done) == "onetwo");
  CHECK(replays(world.table, call("t", "k")));
  CHECK(world.table.stats().led == 1);
}

TEST_CASE("a key belongs to its tenant and its endpoint") {
  World world;
  make(world.table, call("t", "k"));
  CHECK(world.table.enter(call("u", "k"))->lead);
  KeyedCall other = call("t", "k");
  other.endpoint = "/v1/embeddings";
  CHECK(world.table.enter(other)->lead);
  // The parts' borders count: neither may be spelled as the other.
  CHECK(world.table.enter({.tenant = "a", .endpoint = "bc", .key = "d", .body = ""})->lead);
  CHECK(world.table.enter({.tenant = "ab", .endpoint = "c", .key = "d", .body = ""})->lead);
}

TEST_CASE("another body under the same key is refused, running or done") {
  World world;
  {
    auto first = world.table.enter(call("t", "k", "one"));
    CHECK(refusal(world.table, call("t", "k", "two")) == ErrorKind::idempotency_key_reused);
    first->lead->end(State::done);
  }
  CHECK(refusal(world.table, call("t", "k", "two")) == ErrorKind::idempotency_key_reused);
  CHECK(replays(world.table, call("t", "k", "one")));
}

TEST_CASE("a call that failed before anything was spent leaves its key free") {
  World world;
  auto first = world.table.enter(call("t", "k", "one"));
  auto reader = world.table.enter(call("t", "k", "one"));
  first->lead->end(State::failed);
  CHECK(text_of(*reader->log, State::failed).empty());
  CHECK(world.table.stats().entries == 0);
  CHECK(world.table.stats().bytes == 0);
  CHECK(world.table.enter(call("t", "k", "two"))->lead);
}

TEST_CASE("a lead that is dropped may have been paid: nobody runs again") {
  World world;
  {
    auto first = world.table.enter(call("t", "k"));
  }
  CHECK(refusal(world.table, call("t", "k")) == ErrorKind::idempotency_unknown);
  CHECK(world.table.stats().running == 0);
}

TEST_CASE("entries end after their time to live, counted from the reply's end") {
  World world;
  world.table.set_bounds({.ttl = std::chrono::hours(24), .bytes_max = 1U << 20U});
  auto running = world.table.enter(call("t", "long"));
  make(world.table, call("t", "k"));
  world.clock.now += std::chrono::hours(24) - minutes(1);
  CHECK(replays(world.table, call("t", "k")));
  world.clock.now += minutes(1);
  CHECK(world.table.enter(call("t", "k"))->lead);
  CHECK(world.table.enter(call("t", "long"))->running);
}

TEST_CASE("the bound holds; young and running entries stay, then new calls are refused") {
  World world;
  constexpr std::uint64_t bytes_max = 100'000;
  world.table.set_bounds({.ttl = std::chrono::hours(24), .bytes_max = bytes_max});
  int made = 0;
  for (; made < 1000; ++made) {
    const std::string key = std::to_string(made);
    auto entrance = world.table.enter(call("t", key));
    if (!entrance) break;
    entrance->lead->append(frames(std::string(1500, 'x')));
    entrance->lead->end(State::done);
    CHECK(world.table.stats().bytes <= bytes_max);
  }
  CHECK(made > 30);
  CHECK(refusal(world.table, call("t", "new")) == ErrorKind::overloaded);
  CHECK(replays(world.table, call("t", "0")));

  world.clock.now += minutes(10);
  auto entrance = world.table.enter(call("t", "new"));
  REQUIRE(entrance);
  CHECK(entrance->lead);
  CHECK(world.table.stats().evicted > 0);
  CHECK(world.table.enter(call("t", "0"))->lead);  // the oldest went first
}

TEST_CASE("a reply that does not fit is lost to others, not the call") {
  World world;
  world.table.set_bounds({.ttl = std::chrono::hours(24), .bytes_max = 10'000});
  auto first = world.table.enter(call("t", "k"));
  auto reader = world.table.enter(call("t", "k"));
  first->lead->append(frames(std::string(2000, 'x')));
  first->lead->append(frames(std::string(20'000, 'y')));
  first->lead->append(frames("z"));
  CHECK(text_of(*reader->log, State::lost) == std::string(2000, 'x'));
  first->lead->end(State::done);
  CHECK(refusal(world.table, call("t", "k")) == ErrorKind::idempotency_unknown);
  CHECK(world.table.stats().bytes < 2000);
}

TEST_CASE("a tenant that fills the table leaves room for the next, and gives back to it") {
  World world;
  world.table.set_bounds({.ttl = std::chrono::hours(24), .bytes_max = 1'000'000});
  const auto fill = [&](std::string_view tenant, std::string_view prefix) {
    int made = 0;
    for (; made < 1000; ++made) {
      const std::string key = std::string(prefix) + std::to_string(made);
      auto entrance = world.table.enter(call(tenant, key));
      if (!entrance) break;
      entrance->lead->append(frames(std::string(4000, 'x')));
      entrance->lead->end(State::done);
    }
    return made;
  };
  const int greedy = fill("greedy", "a");
  CHECK(greedy > 150);
  const int second = fill("second", "b");
  CHECK(second > 20);
  // Old entries of the one that has most go first, until both have the same.
  world.clock.now += minutes(10);
  const int again = fill("second", "c");
  CHECK(again >= greedy / 2 - 20);
  CHECK(world.table.stats().bytes <= 1'000'000);
}

TEST_CASE("nobody waits for the disk of another's call, and who has the same key follows it") {
  struct Slow final : IdempotencyMemo {
    IdempotencyTable* table = nullptr;
    std::shared_ptr<ReplyLog> followed;
    int forgotten_calls = 0;
    bool writable = true;
    bool began(const Digest&, const Digest&) override {
      CHECK(table->stats().running == 1);  // would wait for ever, were the table locked
      const auto second = table->enter(call("t", "k"));
      REQUIRE(second);
      CHECK(second->running);
      CHECK_FALSE(second->lead);
      followed = second->log;
      return writable;
    }
    void forgotten(const Digest&) noexcept override {
      ++forgotten_calls;
      CHECK(table->stats().running == 1);  // the key is free only behind this
    }
    void set_ttl(std::chrono::milliseconds) noexcept override {}
  } memo;
  World world;
  memo.table = &world.table;
  world.table.set_memo(&memo);
  memo.writable = false;
  CHECK(refusal(world.table, call("t", "k")) == ErrorKind::store_unavailable);
  Pieces none;
  CHECK(memo.followed->read(0, none) == State::failed);
  CHECK(memo.forgotten_calls == 1);
  CHECK(world.table.stats().entries == 0);
  memo.writable = true;
  CHECK(world.table.enter(call("t", "k"))->lead);
}

TEST_CASE("where others know of most calls, only those asked for are noted, and taken back") {
  struct Notes final : IdempotencyMemo {
    int began_calls = 0, forgotten_calls = 0;
    bool writable = true;
    bool began(const Digest&, const Digest&) override {
      ++began_calls;
      return writable;
    }
    void forgotten(const Digest&) noexcept override { ++forgotten_calls; }
    void set_ttl(std::chrono::milliseconds) noexcept override {}
  } notes;
  World world;
  world.table.set_memo(&notes, IdempotencyTable::Notes::asked_for);
  make(world.table, call("t", "known elsewhere"));
  world.table.enter(call("t", "failed elsewhere"))->lead->end(State::failed);
  CHECK(notes.began_calls + notes.forgotten_calls == 0);

  auto alone = world.table.enter(call("t", "alone"));
  CHECK(alone->lead->remember());
  CHECK(alone->lead->remember());
  auto moved = std::move(*alone->lead);
  moved.end(State::failed);
  CHECK(notes.began_calls == 1);
  CHECK(notes.forgotten_calls == 1);

  notes.writable = false;
  auto refused = world.table.enter(call("t", "refused"));
  const auto noted = refused->lead->remember();
  REQUIRE_FALSE(noted);
  CHECK(noted.error().kind == ErrorKind::store_unavailable);
  notes.writable = true;
  CHECK(world.table.enter(call("t", "refused"))->lead);
}

TEST_CASE("what an earlier process began is unknown, for the rest of its time") {
  struct Notes final : IdempotencyMemo {
    std::vector<std::pair<Digest, Digest>> began_calls;
    int forgotten_calls = 0;
    bool writable = true;
    bool began(const Digest& id, const Digest& fingerprint) override {
      if (writable) began_calls.emplace_back(id, fingerprint);
      return writable;
    }
    void forgotten(const Digest&) noexcept override { ++forgotten_calls; }
    void set_ttl(std::chrono::milliseconds) noexcept override {}
  } notes;
  {
    World before;
    before.table.set_memo(&notes);
    make(before.table, call("t", "k"));
    auto failed = before.table.enter(call("t", "other"));
    failed->lead->end(State::failed);
    notes.writable = false;
    CHECK(refusal(before.table, call("t", "third")) == ErrorKind::store_unavailable);
  }
  REQUIRE(notes.began_calls.size() == 2);
  CHECK(notes.forgotten_calls == 2);

  World after;
  const auto [id, fingerprint] = notes.began_calls.front();
  after.table.restore(id, fingerprint, std::chrono::hours(23));
  CHECK(refusal(after.table, call("t", "k")) == ErrorKind::idempotency_unknown);
  CHECK(refusal(after.table, call("t", "k", "new")) == ErrorKind::idempotency_key_reused);
  after.clock.now += std::chrono::hours(1);
  CHECK(after.table.enter(call("t", "k"))->lead);
}

}  // namespace tollgate::policies
