#include "policies/cache/redis.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "gateway/core/hex.hpp"
#include "policies/cache/together.hpp"
#include "policies/ledger/archive.hpp"

namespace tollgate::cache {
namespace {

using policies::RedisReply;

/// Raised when what stands under a key changes its form.
constexpr std::string_view kind = ":cache:1:";
constexpr std::string_view scan_count = "1000";
/// The hash of the latest purges, by what they meant; it outlives every call that ran then.
constexpr std::string_view purges_kind = ":cache-purges:1";
constexpr std::string_view purges_seconds = "86400";
constexpr std::size_t stamp_bytes = 8;

/// Names are of the operator's choosing: as digests they hold no letter that patterns know.
std::string part_of(std::string_view name) {
  constexpr std::size_t shown = 8;
  const auto digest = policies::sha256({name});
  return digest ? hex_of(std::span(*digest).first(shown)) : std::string("none");
}

std::string tenant_part(std::string_view tenant) {
  return tenant.empty() ? std::string("shared") : part_of(tenant);
}

/// As a pattern that matches only itself.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]^\\-").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// A tenth of `ttl` at most, by the key and the time, so that equal loads do not expire in step.
std::chrono::milliseconds jitter(const Digest& key, SystemTime now, std::chrono::milliseconds ttl) {
  constexpr std::uint64_t steps = 1024;
  std::uint64_t seed = 0;
  std::memcpy(&seed, key.data(), sizeof seed);
  const std::uint64_t step = (seed ^ static_cast<std::uint64_t>(micros_of(now))) % steps;
  return ttl * static_cast<std::int64_t>(step) / static_cast<std::int64_t>(10 * steps);
}

std::string stamp_of(SystemTime time) {
  std::string stamp;
  {
    ledger::WriteArchive archive(stamp);
    archive(time);
  }
  return stamp;
}

}  // namespace

std::string RedisCache::name_of(const RedisPlace& place) const {
  std::string name = shared_.prefix;
  name.append(kind).append(tenant_part(place.tenant)).append(":");
  return name.append(part_of(place.model)).append(":").append(hex_of(place.key));
}

/// An answer that is an error (no memory, say) is none either. What is no text in our place is like
/// any other rubbish.
Awaitable<Result<RedisReply>> RedisCache::ask(std::string_view slot_key,
                                              std::span<const std::string_view> args) {
  auto reply = co_await port_.call(slot_key, args);
  judge(reply);
  co_return reply;
}

void RedisCache::judge(Result<RedisReply>& reply) {
  if (reply && reply->is_error() && !reply->is_error("WRONGTYPE")) {
    Error error = make_error(ErrorKind::store_unavailable, "The cache cannot be asked right now.");
    error.detail = reply->text;
    reply = std::unexpected(std::move(error));
  }
  if (!reply) shared_.errors.fetch_add(1, std::memory_order_relaxed);
  shared_.away.store(!reply, std::memory_order_relaxed);
}

Awaitable<Result<std::optional<RedisFound>>> RedisCache::find(std::string name,
                                                              const Envelope& envelope,
                                                              std::size_t bytes_max) {
  const std::array<std::string_view, 2> args{"GET", name};
  auto reply = co_await ask(name, args);
  if (!reply) co_return std::unexpected(reply.error());
  auto found = opened(name, *reply, envelope, bytes_max);
  if (!found && reply->kind != RedisReply::Kind::nil) found.emplace();
  co_return found;
}

std::optional<RedisFound> RedisCache::opened(std::string_view name, const RedisReply& reply,
                                             const Envelope& envelope, std::size_t bytes_max) {
  if (reply.kind == RedisReply::Kind::nil) return std::nullopt;
  auto bytes = envelope.open(name, reply.text, bytes_max + stamp_bytes);
  if (!bytes || bytes->size() < stamp_bytes) {
    shared_.unreadable.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  RedisFound found;
  ledger::ReadArchive archive(*bytes);
  archive(found.stored_at);
  bytes->erase(0, stamp_bytes);
  found.bytes = std::move(*bytes);
  return found;
}

/// One answer that is none, and the rest is not looked at: the call asks for everything.
Awaitable<Result<RedisCache::FoundAll>> RedisCache::find_all(RedisPlace place,
                                                             std::span<const Digest> keys,
                                                             const Envelope& envelope,
                                                             std::size_t bytes_max) {
  std::vector<RedisCommand> commands;
  std::vector<std::string> names;
  for (const Digest& key : keys) {
    place.key = key;
    names.push_back(name_of(place));
    commands.push_back({.args = {"GET", names.back()}});
  }
  auto replies = co_await ask_together(port_, std::move(commands));
  FoundAll found;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    judge(replies[i]);
    if (!replies[i]) co_return std::unexpected(replies[i].error());
    found.push_back(opened(names[i], *replies[i], envelope, bytes_max));
  }
  co_return found;
}

Awaitable<Result<void>> RedisCache::put(RedisPlace place, std::span<const RedisEntry> entries,
                                        const Envelope& envelope, Keeping how) {
  const SystemTime now = shared_.clock.system();
  const std::string stamp = stamp_of(now);
  std::vector<RedisCommand> commands;
  std::vector<RedisReply> names;
  for (const RedisEntry& entry : entries) {
    place.key = entry.key;
    std::string name = name_of(place);
    std::string sealed = envelope.seal(name, stamp + entry.bytes);
    if (sealed.empty()) continue;
    names.emplace_back().text = name;
    std::string px = std::to_string((how.ttl - jitter(entry.key, now, how.ttl)).count());
    commands.push_back({.args = {"SET", std::move(name), std::move(sealed), "PX", std::move(px)}});
  }
  Result<void> done;
  auto replies = co_await ask_together(port_, std::move(commands));
  for (auto& reply : replies) {
    judge(reply);
    if (reply) continue;
    done = std::unexpected(reply.error());
    break;
  }
  if (names.empty()) co_return done;
  // After they stand there: a purge that does not see them is seen here.
  const auto purged = co_await was_purged(place, how.began);
  if (!purged) co_return std::unexpected(purged.error());
  if (*purged) {
    auto gone = co_await unlink(names.front().text, names);
    if (!gone) co_return std::unexpected(gone.error());
  }
  co_return done;
}

std::string RedisCache::purges_name() const { return shared_.prefix + std::string(purges_kind); }

Awaitable<Result<void>> RedisCache::note_purge(const std::string& tenant,
                                               const std::string& model) {
  const std::string name = purges_name(), field = tenant + ":" + model;
  const std::string at = std::to_string(micros_of(shared_.clock.system()));
  const std::array<std::string_view, 4> note{"HSET", name, field, at};
  auto noted = co_await ask(name, note);
  if (!noted) co_return std::unexpected(noted.error());
  const std::array<std::string_view, 3> keep{"EXPIRE", name, purges_seconds};
  auto kept = co_await ask(name, keep);
  if (!kept) co_return std::unexpected(kept.error());
  co_return Result<void>{};
}

Awaitable<Result<bool>> RedisCache::was_purged(const RedisPlace& place, SystemTime began) {
  const std::string name = purges_name(), tenant = tenant_part(place.tenant);
  const std::string model = part_of(place.model);
  const std::string of_tenant = tenant + ":*", of_model = "*:" + model, both = tenant + ":" + model;
  const std::array<std::string_view, 6> args{"HMGET", name, "*:*", of_tenant, of_model, both};
  auto noted = co_await ask(name, args);
  if (!noted) co_return std::unexpected(noted.error());
  const std::int64_t since = micros_of(began);
  for (const RedisReply& each : noted->items) {
    std::int64_t at = 0;
    std::from_chars(each.text.data(), each.text.data() + each.text.size(), at);
    if (at >= since) co_return true;
  }
  co_return false;
}

/// By SCAN over names: a purge is rare and may take its time, while a generation that every lookup
/// had to compare would cost each of them, and free no memory.
Awaitable<Result<std::uint64_t>> RedisCache::purge(Which which) {
  const std::string_view tenant = which.tenant_shares ? std::string_view{} : which.tenant;
  const std::string of_tenant = which.tenant.empty() ? "*" : tenant_part(tenant);
  const std::string of_model = which.model.empty() ? "*" : part_of(which.model);
  const std::string pattern =
      literal(shared_.prefix) + std::string(kind) + of_tenant + ":" + of_model + ":*";
  // So that the nodes are known.
  const std::array<std::string_view, 1> ping{"PING"};
  auto there = co_await ask({}, ping);
  if (!there) co_return std::unexpected(there.error());
  auto noted = co_await note_purge(of_tenant, of_model);
  if (!noted) co_return std::unexpected(noted.error());
  std::uint64_t gone = 0;
  for (const std::string& node : port_.key_of_each_node()) {
    auto done = co_await purge_node(node, pattern);
    if (!done) co_return done;
    gone += *done;
  }
  co_return gone;
}

Awaitable<Result<std::uint64_t>> RedisCache::purge_node(std::string_view slot_key,
                                                        std::string_view pattern) {
  std::uint64_t gone = 0;
  std::string cursor = "0";
  do {
    const std::array<std::string_view, 6> scan{"SCAN",  cursor,  "MATCH",
                                               pattern, "COUNT", scan_count};
    auto found = co_await ask(slot_key, scan);
    if (!found) co_return std::unexpected(found.error());
    if (found->items.size() != 2) co_return fail(ErrorKind::internal, "not a reply to SCAN");
    cursor = found->items[0].text;
    auto done = co_await unlink(slot_key, found->items[1].items);
    if (!done) co_return done;
    gone += *done;
  } while (cursor != "0");
  co_return gone;
}

/// In Cluster keys of several slots may not stand in one command.
Awaitable<Result<std::uint64_t>> RedisCache::unlink(std::string_view slot_key,
                                                    const std::vector<RedisReply>& names) {
  std::uint64_t gone = 0;
  const std::size_t at_once = shared_.cluster ? 1 : std::max<std::size_t>(names.size(), 1);
  for (std::size_t at = 0; at < names.size(); at += at_once) {
    std::vector<std::string_view> args{"UNLINK"};
    for (std::size_t i = at; i < at + at_once; ++i)
      args.push_back(names[i].text);
    auto reply = co_await ask(shared_.cluster ? args.back() : slot_key, args);
    if (!reply) co_return std::unexpected(reply.error());
    gone += static_cast<std::uint64_t>(reply->integer);
  }
  co_return gone;
}

}  // namespace tollgate::cache
