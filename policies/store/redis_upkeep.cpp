// What the Redis store does beside the calls: leases go on, what got no answer is asked again,
// and calls of gateways that are gone end.
#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <utility>

#include "policies/store/redis.hpp"
#include "policies/store/redis_call.hpp"

namespace tollgate::policies {
namespace {

constexpr std::size_t renewed_at_once = 500;
constexpr int run_out_at_once = 100;

/// Of the call behind a record's key.
RunOut run_out(const std::string& record, RedisAnswer& answer) {
  RunOut call;
  call.id = record.substr(record.rfind(':') + 1);
  call.admitted_at = time_of(answer.take());
  call.charged = answer.take_money();
  return call;
}

}  // namespace

/// What a denied call holds elsewhere.
Awaitable<void> RedisStore::give_back(RedisReservation& own) {
  for (RedisGroup& group : own.groups) {
    if (!std::exchange(group.asked, false)) continue;
    RedisAsk end = ending(own, group, nullptr);
    auto answer = co_await run_filled(shared_.scripts().settle, end);
    if (!answer) keep(std::move(end));
  }
}

/// Whatever a reserve without an answer may have left in Redis, as soon as that answers: a late
/// one finds itself given back.
void RedisStore::take_back(RedisReservation& own) {
  for (RedisGroup& group : own.groups) {
    if (std::exchange(group.asked, false)) keep(ending(own, group, nullptr));
  }
}

/// Whoever reads the ledger says since when Redis holds what it says; so a scope that is asked for
/// the first time much later is filled from it, and not taken for lost.
Awaitable<void> RedisStore::mark() {
  const SystemTime books_at = shared_.books_at();
  if (port_ == nullptr || books_at == marked_) co_return;
  const std::string time = std::to_string(micros_of(books_at));
  for (const std::string& tag : shared_.tags()) {
    const std::string key = shared_.keys().marker(tag);
    const std::array<std::string_view, 4> set{"SET", key, time, "NX"};
    if (auto done = co_await port_->call(key, set); !done) co_return;
  }
  marked_ = books_at;
}

Awaitable<void> RedisStore::keep_up() {
  if (keeping_up_) co_return;
  keeping_up_ = true;
  if (ends_leases_) co_await mark();
  co_await stand_behind_all();
  co_await ask_unfinished();
  if (ends_leases_) co_await settle_left();
  co_await tell_answered();
  const SteadyTime now = shared_.clock().steady();
  if (now - renewed_at_ >= shared_.terms().lease / 3) {
    renewed_at_ = now;
    co_await renew();
    if (ends_leases_) co_await end_leases();
  }
  keeping_up_ = false;
}

Awaitable<void> RedisStore::renew() {
  std::map<std::string, std::vector<std::string>> by_list;
  for (const RedisReservation* own : running_) {
    if (own->local) continue;
    for (const RedisGroup& group : own->groups)
      by_list[shared_.keys().leases(group.tag)].push_back(group.record);
  }
  for (const auto& [list, records] : by_list) {
    for (std::size_t at = 0; at < records.size(); at += renewed_at_once) {
      RedisAsk ask;
      ask.keys = {list};
      ask.numbers.add(std::chrono::microseconds(shared_.terms().lease).count());
      const std::size_t end = std::min(records.size(), at + renewed_at_once);
      ask.further.assign(records.begin() + static_cast<std::ptrdiff_t>(at),
                         records.begin() + static_cast<std::ptrdiff_t>(end));
      if (auto renewed = co_await run(shared_.scripts().renew, ask); !renewed) co_return;
    }
  }
}

Awaitable<void> RedisStore::end_leases() {
  for (const std::string& tag : shared_.tags()) {
    const std::string list = shared_.keys().leases(tag);
    RedisAsk due;
    due.keys = {list};
    due.numbers.add(run_out_at_once);
    auto records = co_await run_list(shared_.scripts().due, due);
    if (!records) co_return;
    for (const std::string& record : *records)
      co_await end_lease(list, record);
    co_await book_left(list);
  }
}

Awaitable<void> RedisStore::end_lease(const std::string& list, const std::string& record) {
  RedisAsk peek;
  peek.keys = {record};
  auto keys = co_await run_list(shared_.scripts().peek, peek);
  if (!keys) co_return;
  RedisAsk ask;
  ask.keys = {record, list};
  ask.keys.insert(ask.keys.end(), keys->begin(), keys->end());
  auto answer = co_await run(shared_.scripts().run_out, ask);
  if (!answer || answer->take() != 1) co_return;
  RunOut call = run_out(record, *answer);
  call.ours = answer->take() == 1;
  shared_.ran_out(std::move(call), *keys);
}

/// Rows that other replicas left for our ledger: an entry is 24 bytes of numbers, then keys by
/// line.
Awaitable<void> RedisStore::book_left(std::string list) {
  list += ":" + shared_.terms().ledger;
  const std::array<std::string_view, 4> read{"LRANGE", list, "0", "99"};
  auto entries = co_await port_->call(list, read);
  if (!entries || entries->items.empty()) co_return;
  for (const RedisReply& entry : entries->items) {
    constexpr std::size_t numbers = 24;
    if (entry.text.size() < numbers) continue;
    RedisAnswer answer(entry.text.substr(0, numbers));
    std::vector<std::string> keys;
    std::istringstream lines(entry.text.substr(numbers));
    for (std::string line; std::getline(lines, line);)
      keys.push_back(line);
    if (keys.empty()) continue;
    RunOut call = run_out(keys.front(), answer);
    call.ours = true;
    shared_.is_to_be_booked(std::move(call), keys);
  }
  const std::string count = std::to_string(entries->items.size());
  const std::array<std::string_view, 4> trim{"LTRIM", list, count, "-1"};
  (void)co_await port_->call(list, trim);  // else they are booked once more: nothing changes
}

}  // namespace tollgate::policies
