#include "policies/idempotency/replicas.hpp"

#include <array>
#include <vector>

#include "gateway/core/hex.hpp"
#include "gateway/core/task.hpp"
#include "policies/idempotency/kept_reply.hpp"

namespace tollgate::policies {
namespace {

constexpr char claim_text[] = {
#embed "redis/claim.lua"
};
constexpr char renew_text[] = {
#embed "redis/renew.lua"
};
constexpr char finish_text[] = {
#embed "redis/finish.lua"
};

/// A reply that unpacks to more is not believed.
constexpr std::size_t reply_bytes_max = std::size_t{256} << 20U;

Error away(std::string why) {
  Error error = make_error(
      ErrorKind::store_unavailable,
      "Whether this Idempotency-Key was used before cannot be told right now. Please retry.");
  error.detail = std::move(why);
  error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace

ReplicaScripts::ReplicaScripts()
    : claim(RedisScript::embedded(claim_text)),
      renew(RedisScript::embedded(renew_text)),
      finish(RedisScript::embedded(finish_text)) {}

std::string ReplicaKeys::name_of(const Digest& id) const {
  return shared_.prefix + ":idempotency:1:" + hex_of(id);
}

Awaitable<Result<RedisReply>> ReplicaKeys::ask(const RedisScript& script, const std::string& name,
                                               std::span<const std::string_view> args) {
  const std::array<std::string_view, 1> keys{name};
  auto reply = co_await port_.script(script, name, keys, args);
  if (!reply) {
    const Retry retry = reply.error().retry;
    reply = std::unexpected(away(std::move(reply.error().detail)));
    reply.error().retry = retry;
  } else if (reply->is_error()) {
    reply = std::unexpected(away(reply->text));
  }
  co_return reply;
}

Awaitable<Result<ReplicaKeys::Answer>> ReplicaKeys::claim(ReplicaKey key,
                                                          std::chrono::milliseconds ttl,
                                                          const cache::Envelope& envelope) {
  const std::string name = name_of(key.id), owner = random_word();
  if (owner.empty()) co_return fail(ErrorKind::internal, "The gateway has no random numbers.");
  const std::string print = hex_of(key.fingerprint);
  const std::string lease = std::to_string(shared_.lease.count());
  const std::string lives = std::to_string(ttl.count());
  const std::array<std::string_view, 4> args{print, owner, lease, lives};
  auto reply = co_await ask(shared_.scripts.claim, name, args);
  if (!reply) {
    shared_.away.fetch_add(1, std::memory_order_relaxed);
    // It may have been granted, and nobody will run it.
    if (!never_sent(reply.error())) start(take_back(name, owner));
    co_return std::unexpected(reply.error());
  }
  Answer answer = answer_of(*reply, name, envelope);
  if (answer.word == Word::granted) answer.claim.reset(new Claim(*this, name, owner));
  count(answer.word);
  co_return answer;
}

ReplicaKeys::Answer ReplicaKeys::answer_of(const RedisReply& reply, const std::string& name,
                                           const cache::Envelope& envelope) {
  const std::string_view word = reply.items.empty() ? std::string_view{} : reply.items[0].text;
  if (word == "granted") return {.word = Word::granted};
  if (word == "running") return {.word = Word::running};
  if (word == "reused") return {.word = Word::reused};
  if (word == "free") return {.word = Word::free};
  if (word != "done") return {};
  if (reply.items.size() < 2) return {.word = Word::done};
  const auto bytes = envelope.open(name, reply.items[1].text, reply_bytes_max);
  Answer answer;
  if (bytes) answer.log = read_kept(*bytes);
  if (answer.log) answer.word = Word::done;
  return answer;
}

void ReplicaKeys::count(Word word) {
  const std::array<std::atomic<std::uint64_t>*, 5> counts{
      &shared_.granted, &shared_.joined, &shared_.replayed, &shared_.reused, &shared_.unknown};
  const auto at = static_cast<std::size_t>(word);
  if (at < counts.size()) counts[at]->fetch_add(1, std::memory_order_relaxed);
}

Awaitable<Result<ReplicaKeys::Word>> ReplicaKeys::look(ReplicaKey key) {
  const std::string name = name_of(key.id);
  const std::string print = hex_of(key.fingerprint);
  const std::array<std::string_view, 4> args{print, "", "0", "0"};
  auto reply = co_await ask(shared_.scripts.claim, name, args);
  if (!reply) co_return std::unexpected(reply.error());
  co_return answer_of(*reply, name, cache::Envelope()).word;
}

Awaitable<void> ReplicaKeys::take_back(std::string name, std::string owner) {
  const std::array<std::string_view, 4> args{owner, "free", "0", ""};
  (void)co_await ask(shared_.scripts.finish, name, args);
}

ReplicaKeys::Claim::Claim(ReplicaKeys& keys, std::string name, std::string owner) : keys_(keys) {
  held_.name = std::move(name);
  held_.owner = std::move(owner);
  keys_.running_.add(held_);
}

Awaitable<void> ReplicaKeys::Claim::say(std::string_view state, std::chrono::milliseconds ttl,
                                        std::string_view reply) {
  const std::string lives = std::to_string(ttl.count());
  const std::array<std::string_view, 4> args{held_.owner, state, lives, reply};
  held_.unlink();
  auto said = co_await keys_.ask(keys_.shared_.scripts.finish, held_.name, args);
  if (!said) keys_.shared_.away.fetch_add(1, std::memory_order_relaxed);
}

Awaitable<void> ReplicaKeys::Claim::finish(const ReplyLog& log, std::chrono::milliseconds ttl,
                                           const cache::Envelope& envelope) {
  Pieces frames;
  const bool whole = log.read(0, frames) == ReplyLog::State::done;
  std::string sealed;
  if (whole) sealed = envelope.seal(held_.name, write_kept(log));
  co_await say(sealed.empty() ? "lost" : "done", ttl, sealed);
}

Awaitable<void> ReplicaKeys::Claim::give_back() { return say("free", {}, {}); }

Awaitable<void> ReplicaKeys::Claim::lose(std::chrono::milliseconds ttl) {
  return say("lost", ttl, {});
}

}  // namespace tollgate::policies
