// What the Redis store does about settlements that may lack their answer: those of this process are
// kept until they have it, those of a process that is gone are settled by what its ledger says.
#include <algorithm>
#include <map>
#include <utility>

#include "policies/store/redis.hpp"
#include "policies/store/redis_call.hpp"

namespace tollgate::policies {
namespace {

constexpr std::size_t unfinished_max = 100'000;  // of one worker: some 100 MB
constexpr std::size_t told_at_once = 500;
constexpr std::size_t answered_max = 100'000;  // the others' records end by themselves, much later

}  // namespace

void RedisStore::keep(RedisAsk end) {
  if (unfinished_.size() >= unfinished_max) {
    unfinished_.pop_front();
    shared_.count_unfinished(-1);
    shared_.warn_once(
        "the store has been away for long: the oldest settlements are given up, the "
        "ledger keeps them");
  }
  unfinished_.push_back(std::move(end));
  shared_.count_unfinished(1);
}

/// Of one call, in all places that did not answer.
void RedisStore::keep_settlements(std::vector<RedisAsk> ends, const std::string& id) {
  if (ends.empty()) return;
  ends.back().completes = id;
  const auto& unanswered = shared_.terms().on_unanswered;
  if (unanswered) unanswered(id);
  for (RedisAsk& end : ends)
    keep(std::move(end));
}

/// Asks in the order in which they came.
Awaitable<void> RedisStore::ask_unfinished() {
  while (!unfinished_.empty()) {
    asking_ = std::move(unfinished_.front());
    unfinished_.pop_front();
    auto answer = co_await run_filled(shared_.scripts().settle, *asking_);
    RedisAsk end = *std::exchange(asking_, std::nullopt);
    if (!answer) {
      unfinished_.push_front(std::move(end));
      co_return;
    }
    shared_.count_unfinished(-1);
    const auto& settled = shared_.terms().on_settled;
    if (settled && !end.completes.empty()) settled(end.completes);
    if (end.settles) settled_.push_back({shared_.clock().steady(), std::move(end)});
  }
}

/// Redis keeps what was settled for months, lest a settlement without an answer be charged twice.
/// Those that got theirs need not be kept so long.
Awaitable<void> RedisStore::tell_answered() {
  std::map<std::string, std::vector<std::string>> by_list;
  for (auto& [list, record] : answered_)
    by_list[list].push_back(std::move(record));
  answered_.clear();
  for (auto& [list, records] : by_list) {
    while (!records.empty()) {
      RedisAsk ask;
      const std::size_t left = records.size() - std::min(records.size(), told_at_once);
      ask.keys.assign(records.begin() + static_cast<std::ptrdiff_t>(left), records.end());
      if (auto told = co_await run(shared_.scripts().answered, ask); !told) break;
      records.resize(left);
    }
    for (std::string& record : records) {
      if (answered_.size() < answered_max) answered_.emplace_back(list, std::move(record));
    }
  }
}

Awaitable<void> RedisStore::settle_left() {
  std::vector<LeftCall> left = shared_.take_left();
  bool away = false;
  for (LeftCall& call : left) {
    if (!away && !co_await settle_left(call)) away = true;
    if (away) {
      shared_.leave(std::move(call));
    } else if (const auto& settled = shared_.terms().on_settled) {
      settled(call.id);
    }
  }
}

/// False: Redis is away. Where Redis knows no such call, or has settled it, there is nothing to do.
Awaitable<bool> RedisStore::settle_left(const LeftCall& call) {
  for (const std::string& tag : shared_.tags_of(call)) {
    RedisAsk peek;
    peek.keys = {shared_.keys().record(tag, call.id)};
    auto keys = co_await run_list(shared_.scripts().peek, peek);
    if (!keys) co_return false;
    if (keys->empty()) continue;
    RedisAsk ask;
    ask.keys = {peek.keys.front(), shared_.keys().leases(tag)};
    ask.keys.insert(ask.keys.end(), keys->begin(), keys->end());
    ask.numbers.add_money(call.charged);
    // Whoever shares the ledger has written what the lease's end charged, unless we know better.
    ask.numbers.add(call.ended || !shared_.terms().shares_ledger ? 1 : 0);
    if (auto done = co_await run(shared_.scripts().run_out, ask); !done) co_return false;
  }
  co_return true;
}

}  // namespace tollgate::policies
