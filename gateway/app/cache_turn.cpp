#include "gateway/app/cache_turn.hpp"

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
                     const CacheQuestion& question, SteadyTime now)
    : store_(store),
      rules_(rules),
      wish_(question.wish),
      tenant_(question.tenant),
      model_(question.match.route->name) {
  eligible_ = tenant_.cache != config::TenantCache::off &&
              cache::is_eligible(question.view, rules.when, wish_);
  if (!eligible_) return;
  key_ = key_for(question);
  if (!wish_.no_cache) look(now);
  if (!answers()) recorder_.emplace(rules.max_entry.count);
}

void CacheTurn::look(SteadyTime now) {
  const cache::Held held = store_.find(key_, now);
  if (!held) return;
  const auto age = std::chrono::floor<std::chrono::seconds>(now - held.stored_at());
  if (wish_.max_age && now - held.stored_at() > *wish_.max_age) return;
  block_ = std::make_shared<Block>(held.bytes().size());
  reply_ = cache::read_reply(block_->append(held.bytes()));
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
  store_.put(key_, bytes, {.tenant = tenant_.name, .model = model_, .now = now, .ttl = rules_.ttl});
}

}  // namespace tollgate::app
