// What the Redis store does where other data answer than before (M23): a failover loses the last
// writes. Each worker writes its last minute once more, which changes nothing where it arrived the
// first time; until all workers have, nobody knows what is left of a budget, and none is spent.
#include <algorithm>
#include <array>

#include "policies/store/redis.hpp"
#include "policies/store/redis_call.hpp"

namespace tollgate::policies {
namespace {

constexpr auto replayed = std::chrono::seconds(60);
constexpr std::size_t settled_max = 20'000;  // some 25 MB
constexpr auto heard_of = std::chrono::seconds(10);
constexpr auto asked_every = std::chrono::milliseconds(100);
/// In Cluster, where each tree of tenants may have another master: a tick of theirs, and its work.
constexpr auto others_write_again = std::chrono::seconds(3);

}  // namespace

/// Whose data stand there; empty where nobody answers, or where Redis does not tell.
Awaitable<std::string> RedisStore::data_behind(std::string tag) {
  const std::string key = shared_.keys().leases(tag);
  std::string id = port_->replication_id(key);
  if (!id.empty() || nameless_) co_return id;
  const std::array<std::string_view, 1> ping{"PING"};
  auto pong = co_await port_->call(key, ping);
  id = port_->replication_id(key);
  if (!pong) {
    shared_.failed(pong.error());
  } else if (id.empty() && !pong->is_error()) {
    nameless_ = true;  // failovers are not seen
  }
  co_return id;
}

/// Before a call is admitted: whether what it reads there may lack writes of ours or of others.
Awaitable<bool> RedisStore::may_lack_writes(const RedisReservation& own) {
  if (port_ == nullptr) co_return false;  // which asking will tell
  for (const RedisGroup& group : own.groups) {
    const std::string tag = shared_.terms().cluster ? group.tag : std::string{};
    const std::string id = co_await data_behind(tag);
    if (!id.empty() && !co_await stands_behind(tag, id)) co_return true;
  }
  co_return false;
}

std::optional<std::string> RedisStore::other_data(const RedisReservation& own) const {
  for (const RedisGroup& group : own.groups) {
    const std::string tag = shared_.terms().cluster ? group.tag : std::string{};
    const auto known = data_.find(tag);
    std::string id = port_ != nullptr ? port_->replication_id(shared_.keys().leases(tag)) : "";
    const bool same = known == data_.end() ? nameless_ && id.empty() : known->second.sure == id;
    if (!same) return id;
  }
  return std::nullopt;
}

/// True: all that this and other workers wrote is there, as far as anybody can know.
Awaitable<bool> RedisStore::stands_behind(std::string tag, std::string id) {
  Data& data = data_[tag];
  if (data.sure == id) co_return true;
  // As a worker begins it has nothing to write: whoever comes first may ask.
  const bool begins = data.sure.empty();
  if (data.joining && !begins) co_return false;
  const SteadyTime now = shared_.clock().steady();
  if (data.seen != id) {
    data.seen = id;
    data.seen_at = now;
    data.ask_at = {};
    data.written = begins;
  }
  if (now < data.ask_at && !begins) co_return false;
  data.joining = true;
  // What was written to these data themselves is among it: it does not matter twice.
  if (!data.written && co_await replay(tag)) data.written = true;
  const bool all = data.written && co_await join(tag, id, true);
  data.joining = false;
  data.ask_at = shared_.clock().steady() + asked_every;
  const bool same = port_->replication_id(shared_.keys().leases(tag)) == id;
  if (all && same && data.seen == id) data.sure = id;
  co_return data.sure == id;
}

/// Tells the other workers whose data this one stands behind, and asks whether they do too.
Awaitable<bool> RedisStore::join(std::string tag, std::string id, bool asks) {
  if (shared_.terms().cluster) {
    const Data& data = data_[tag];
    co_return data.sure.empty() || shared_.clock().steady() - data.seen_at >= others_write_again;
  }
  RedisAsk ask;
  ask.keys = {shared_.keys().workers()};
  ask.numbers.add(std::chrono::microseconds(heard_of).count());
  ask.numbers.add(asks ? 1 : 0);
  ask.further = {name_, std::move(id)};
  auto answer = co_await run(shared_.scripts().join, ask);
  co_return answer && answer->take() == 1;
}

/// What arrived the first time changes nothing.
Awaitable<bool> RedisStore::replay(std::string tag) {
  const std::string list = shared_.terms().cluster ? shared_.keys().leases(tag) : std::string{};
  // What is asked again ends, or begins, while this waits: copies of both.
  std::vector<RedisAsk> ends = ends_to_replay(list);
  Begins begins = begins_to_replay(list);
  const RedisScripts& scripts = shared_.scripts();
  co_return co_await all_run(scripts.settle, std::move(ends)) &&
      co_await all_run(scripts.reserve, std::move(begins.reserves)) &&
      co_await all_run(scripts.extend, std::move(begins.raises));
}

Awaitable<bool> RedisStore::all_run(const RedisScript& script, std::vector<RedisAsk> asks) {
  for (RedisAsk& ask : asks) {
    if (auto answer = co_await run_filled(script, ask); !answer) co_return false;
  }
  co_return true;
}

/// Of all calls, or of those whose leases stand in this list. Those without an answer too: until
/// they have it nobody else may spend what the call held.
std::vector<RedisAsk> RedisStore::ends_to_replay(std::string_view list) const {
  std::vector<RedisAsk> ends;
  const auto add = [&](const RedisAsk& end) {
    if (list.empty() || end.keys[1] == list) ends.push_back(end);
  };
  for (const Settled& settled : settled_)
    add(settled.end);
  for (const RedisReservation* own : running_) {
    if (own->charge == nullptr) continue;
    for (const RedisGroup& group : own->groups) {
      RedisAsk end = ending(*own, group, own->charge);
      asked_again(end);
      add(end);
    }
  }
  if (asking_) add(*asking_);
  std::ranges::for_each(unfinished_, add);
  return ends;
}

RedisStore::Begins RedisStore::begins_to_replay(std::string_view list) const {
  Begins begins;
  for (const RedisReservation* own : running_) {
    if (own->local || own->charge != nullptr) continue;
    for (const RedisGroup& group : own->groups) {
      if (!list.empty() && shared_.keys().leases(group.tag) != list) continue;
      const NanoUsd held = std::max(own->held, own->raised_to);
      const Ask ask{.id = own->id,
                    .scopes = own->scopes,
                    .user = own->user,
                    .tokens = own->tokens,
                    .bound = held,
                    .estimate = own->estimate,
                    .floor = held};
      begins.reserves.push_back(reserving(*own, group, ask, true));
      begins.reserves.back().scopes = {};
      // The reserve may be there, and what raised it not.
      if (own->raised_to == 0) continue;
      begins.raises.push_back(extending(group, held, true));
      begins.raises.back().scopes = {};
    }
  }
  return begins;
}

/// Every tick. A worker that nobody calls writes its last minute again too.
Awaitable<void> RedisStore::stand_behind_all() {
  if (port_ == nullptr) co_return;
  bool sure = true;
  for (const std::string& tag : shared_.tags()) {
    const std::string id = co_await data_behind(tag);
    if (id.empty()) {
      sure = sure && nameless_;
      continue;
    }
    const auto known = data_.find(tag);
    const bool stood = known != data_.end() && known->second.sure == id;
    if (!co_await stands_behind(tag, id)) sure = false;
    if (stood && !shared_.terms().cluster) co_await join(tag, id, false);
  }
  if (sure) forget_settled();
}

/// What may be written again: the last minute before Redis was there last.
void RedisStore::forget_settled() {
  const SteadyTime now = shared_.clock().steady();
  while (!settled_.empty() &&
         (now - settled_.front().at > replayed || settled_.size() > settled_max)) {
    const std::vector<std::string>& keys = settled_.front().end.keys;
    answered_.emplace_back(keys[1], keys[0]);
    settled_.pop_front();
  }
}

}  // namespace tollgate::policies
