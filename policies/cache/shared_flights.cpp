#include "policies/cache/shared_flights.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "gateway/core/task.hpp"
#include "policies/ledger/archive.hpp"

namespace tollgate::cache {
namespace {

using policies::RedisReply;
using policies::RedisScript;

constexpr char claim_text[] = {
#embed "redis/claim.lua"
};
constexpr char renew_text[] = {
#embed "redis/renew.lua"
};
constexpr char end_text[] = {
#embed "redis/end.lua"
};
constexpr char leave_text[] = {
#embed "redis/leave.lua"
};

constexpr std::size_t error_bytes_max = std::size_t{1} << 20U;

// One list of members for both directions.
template <class Archive, class E>
void visit(Archive& archive, E& error) {
  archive(error.kind);
  archive(error.origin);
  archive(error.status);
  archive(error.code);
  archive(error.type);
  archive(error.param);
  archive(error.message);
  archive(error.upstream_status);
}

std::string bytes_of(const Error& error) {
  std::string out;
  {
    ledger::WriteArchive archive(out);
    visit(archive, error);
  }
  return out;
}

std::optional<Error> error_in(std::string_view bytes) {
  ledger::ReadArchive archive(bytes);
  Error error;
  visit(archive, error);
  if (!archive.good()) return std::nullopt;
  return error;
}

}  // namespace

FlightScripts::FlightScripts()
    : claim(RedisScript::embedded(claim_text)),
      renew(RedisScript::embedded(renew_text)),
      end(RedisScript::embedded(end_text)),
      leave(RedisScript::embedded(leave_text)) {}

/// At the node of the entry, in Cluster too.
std::string SharedFlights::name_of(std::string_view entry) const {
  std::string name = terms_.prefix;
  return name.append(":flight:1:{").append(entry).append("}");
}

Result<RedisReply> SharedFlights::said(Result<RedisReply> reply) {
  if (reply && reply->is_error()) {
    Error error = make_error(ErrorKind::store_unavailable, "The cache cannot be asked right now.");
    error.detail = reply->text;
    reply = std::unexpected(std::move(error));
  }
  if (!reply) terms_.away.fetch_add(1, std::memory_order_relaxed);
  return reply;
}

Awaitable<Result<SharedFlights::Answer>> SharedFlights::claim(std::string entry, std::string leader,
                                                              bool anew) {
  const std::string name = name_of(entry), owner = policies::random_word();
  if (owner.empty()) co_return fail(ErrorKind::internal, "The gateway has no random numbers.");
  const std::string lease = std::to_string(terms_.lease.count());
  const std::array<std::string_view, 2> keys{name, entry};
  const std::array<std::string_view, 4> args{owner, leader, lease, anew ? "1" : "0"};
  auto reply = said(co_await port_.script(terms_.scripts.claim, name, keys, args));
  if (!reply) {
    // It may have been granted, and nobody knows.
    if (!policies::never_sent(reply.error())) {
      start(run(terms_.scripts.end, name, {owner, "failed", "", lease}));
    }
    co_return std::unexpected(reply.error());
  }
  const auto& items = reply->items;
  Answer answer;
  if (items.size() == 3 && items[0].text == "running") {
    answer = {.word = Word::running, .owner = items[1].text, .leader = items[2].text};
    terms_.waited.fetch_add(1, std::memory_order_relaxed);
  } else if (!items.empty() && items[0].text == "stored") {
    answer.word = Word::stored;
  } else {
    answer.lease.reset(new Lease(*this, name, owner));
    terms_.led.fetch_add(1, std::memory_order_relaxed);
  }
  co_return answer;
}

Awaitable<Result<SharedFlights::Ending>> SharedFlights::look(std::string entry, std::string owner,
                                                             const Envelope& envelope) {
  const std::string name = name_of(entry);
  const std::array<std::string_view, 6> args{"HMGET", name, "owner", "last", "said", "error"};
  auto reply = said(co_await port_.call(name, args));
  if (!reply) co_return std::unexpected(reply.error());
  const auto& items = reply->items;
  if (items.size() != 4) co_return Ending{};
  if (items[0].text == owner) co_return Ending{.state = State::running};
  if (items[1].text != owner) co_return Ending{};
  if (items[2].text == "done") co_return Ending{.state = State::done};
  Ending ending{.state = State::failed};
  const auto error = envelope.open(name, items[3].text, error_bytes_max);
  if (error) ending.error = error_in(*error);
  co_return ending;
}

void SharedFlights::leave(std::string entry, std::string owner) {
  start(run(terms_.scripts.leave, name_of(entry), {std::move(owner)}));
}

/// Whose answer nobody waits for.
Awaitable<void> SharedFlights::run(const RedisScript& script, std::string name,
                                   std::vector<std::string> args) {
  const std::array<std::string_view, 1> keys{name};
  const std::vector<std::string_view> views(args.begin(), args.end());
  (void)said(co_await port_.script(script, name, keys, views));
}

SharedFlights::Lease::Lease(SharedFlights& flights, std::string name, std::string owner)
    : flights_(flights) {
  held_.name = std::move(name);
  held_.owner = std::move(owner);
  flights.held_.add(held_);
}

void SharedFlights::Lease::fail(const Error* for_all, const Envelope& envelope) {
  end("failed", for_all != nullptr ? envelope.seal(held_.name, bytes_of(*for_all)) : "");
}

void SharedFlights::Lease::end(std::string said, std::string error) {
  if (!held_.is_linked()) return;
  held_.unlink();
  const FlightTerms& terms = flights_.terms_;
  start(flights_.run(
      terms.scripts.end, held_.name,
      {held_.owner, std::move(said), std::move(error), std::to_string(terms.lease.count())}));
}

Awaitable<bool> SharedFlights::Lease::is_awaited() {
  const std::string name = held_.name;
  const std::string owner = held_.owner;
  const std::array<std::string_view, 4> args{"HMGET", name, "owner", "waiting"};
  SharedFlights& flights = flights_;
  const auto reply = flights.said(co_await flights.port_.call(name, args));
  if (!reply || reply->items.size() != 2 || reply->items[0].text != owner) co_return false;
  const std::string& count = reply->items[1].text;
  int waiting = 0;
  std::from_chars(count.data(), count.data() + count.size(), waiting);
  co_return waiting > 0;
}

}  // namespace tollgate::cache
