#include "gateway/app/cache_turn.hpp"

#include <algorithm>
#include <deque>
#include <vector>

namespace tollgate::app {
namespace {

cache::Digest key_for(const CacheQuestion& question) {
  const routing::Route& route = *question.match.route;
  std::deque<std::string> places;
  std::vector<std::string_view> targets;
  for (const routing::Target& target : route.targets) {
    const routing::Address& address = target.provider->address;
    places.push_back(address.authority() + address.base_path);
    targets.insert(targets.end(), {target.provider->name, places.back(), target.model});
  }
  return cache::key_of({.tenant = question.tenant.name,
                        .shared = question.tenant.cache == config::TenantCache::shared,
                        .model = route.name,
                        .rest = question.match.rest,
                        .targets = targets},
                       question.view);
}

}  // namespace

CacheTurn::CacheTurn(cache::MemoryCache& store, const config::CacheConfig& rules,
                     const CacheQuestion& question, SteadyTime now, cache::RedisCache* shared)
    : store_(store),
      rules_(rules),
      wish_(question.wish),
      tenant_(question.tenant),
      model_(question.match.route->name),
      shared_(shared) {
  eligible_ = tenant_.cache != config::TenantCache::off &&
              cache::is_eligible(question.view, rules.when, wish_);
  if (!eligible_) return;
  key_ = key_for(question);
  if (shared_ != nullptr) return;
  if (!wish_.no_cache) look(now);
  if (!answers()) recorder_.emplace(rules.max_entry.count);
}

void CacheTurn::look(SteadyTime now) {
  const cache::Held held = store_.find(key_, now);
  if (!held) return;
  if (wish_.max_age && now - held.stored_at() > *wish_.max_age) return;
  take_found(held.bytes(), std::chrono::floor<std::chrono::seconds>(now - held.stored_at()));
}

void CacheTurn::take_found(std::string_view bytes, std::chrono::seconds age) {
  block_ = std::make_shared<Block>(bytes.size());
  reply_ = cache::read_reply(block_->append(bytes));
  age_ = age;
}

std::string_view CacheTurn::result() const {
  if (!eligible_) return "bypass";
  if (reply_) return "hit";
  return wish_.no_cache ? "refresh" : "miss";
}

void CacheTurn::keep(cache::ReplyFacts facts, bool relayed, SteadyTime now) {
  if (!recorder_) return;
  if (relayed) facts.model = recorder_->model();
  const std::string bytes = recorder_->finish(facts);
  recorder_.reset();
  if (bytes.empty()) return;
  if (shared_ != nullptr) {
    kept_ = bytes;
    return;
  }
  store_.put(key_, bytes, {.tenant = tenant_.name, .model = model_, .now = now, .ttl = rules_.ttl});
}

cache::RedisPlace CacheTurn::place() const {
  const bool shares = tenant_.cache == config::TenantCache::shared;
  return {.tenant = shares ? std::string_view{} : tenant_.name, .model = model_, .key = key_};
}

Awaitable<void> CacheTurn::look_there(const cache::Envelope& envelope, SystemTime now) {
  if (!eligible_) co_return;
  if (!wish_.no_cache) {
    const auto found = co_await shared_->find(place(), envelope, rules_.max_entry.count);
    eligible_ = found.has_value();
    if (!eligible_) co_return;
    if (*found) {
      // Replicas' clocks differ a little.
      const auto age = std::max(SystemTime::duration::zero(), now - (*found)->stored_at);
      const bool young = !wish_.max_age || age <= *wish_.max_age;
      if (young) take_found((*found)->bytes, std::chrono::floor<std::chrono::seconds>(age));
    }
  }
  if (!answers()) recorder_.emplace(rules_.max_entry.count);
}

Awaitable<void> CacheTurn::store_there(const cache::Envelope& envelope) {
  // A store that is away keeps nothing, and the call is none the worse.
  (void)co_await shared_->put(place(), kept_, envelope, rules_.ttl);
  kept_.clear();
}

}  // namespace tollgate::app
