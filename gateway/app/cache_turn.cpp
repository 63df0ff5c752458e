#include "gateway/app/cache_turn.hpp"

#include <algorithm>
#include <deque>
#include <vector>

namespace tollgate::app {
namespace {

/// Calls `use` with what beside its fields decides the answer to a request.
template <class Use>
auto with_scope(const CacheQuestion& question, Use use) {
  const routing::Route& route = *question.match.route;
  std::deque<std::string> places;
  std::vector<std::string_view> targets;
  for (const routing::Target& target : route.targets) {
    const routing::Address& address = target.provider->address;
    places.push_back(address.authority() + address.base_path);
    targets.insert(targets.end(), {target.provider->name, places.back(), target.model});
  }
  return use(cache::KeyScope{.tenant = question.tenant.name,
                             .shared = question.tenant.cache == config::TenantCache::shared,
                             .model = route.name,
                             .rest = question.match.rest,
                             .targets = targets});
}

cache::Digest key_of(const CacheQuestion& question) {
  return with_scope(
      question, [&](const cache::KeyScope& scope) { return cache::key_of(scope, question.view); });
}

/// By the memo where the same request came before.
cache::Digest known_key(const CacheQuestion& question) {
  if (question.memo == nullptr) return key_of(question);
  const auto tag =
      question.memo->tag_of({.tenant = &question.tenant,
                             .route = question.match.route,
                             .endpoint = static_cast<std::uint64_t>(question.view.endpoint),
                             .rest = question.match.rest,
                             .body = question.view.body});
  if (!tag) return key_of(question);
  if (const cache::Digest* key = question.memo->find(*tag)) return *key;
  const cache::Digest key = key_of(question);
  question.memo->put(*tag, key);
  return key;
}

}  // namespace

CacheTurn::CacheTurn(cache::MemoryCache& store, const config::CacheConfig& rules,
                     const CacheQuestion& question, SteadyTime now, cache::RedisCache* shared)
    : store_(store),
      rules_(rules),
      wish_(question.wish),
      tenant_(question.tenant),
      model_(question.match.route->name),
      stream_(question.view.stream),
      shared_(shared) {
  const bool embeddings = question.view.endpoint == Endpoint::embeddings;
  eligible_ = tenant_.cache != config::TenantCache::off && (rules.embeddings || !embeddings) &&
              cache::is_eligible(question.view, rules.when, wish_);
  if (!eligible_) return;
  if (embeddings) {
    with_scope(question, [&](const cache::KeyScope& scope) {
      key_ = cache::key_of(scope, question.view);
      inputs_ = std::make_unique<cache::Inputs>(scope, question.view);
    });
  } else {
    key_ = known_key(question);
  }
  if (!asks_there()) look_again(now);
}

void CacheTurn::look_again(SteadyTime now) {
  forget();
  if (!wish_.no_cache && !asks_there()) inputs_ ? look_for_inputs(now) : look(now);
  if (!answers()) begin_to_keep();
}

void CacheTurn::begin_to_keep() {
  purges_ = store_.purges();
  fills_ = inputs_ != nullptr;
  if (fills_) return;
  recorder_.emplace(rules_.max_entry.count, stream_);
  extras_.emplace(rules_.max_entry.count);
}

bool CacheTurn::relays() const {
  return reply_ && !reply_->relayed.empty() && cache::is_relayed_stream(reply_->relayed) == stream_;
}

bool CacheTurn::relay(const cache::Identity& identity, Batch& out) const {
  return cache::relay_again(reply_->relayed, rules_.max_entry.count, identity, reply_->events, out);
}

void CacheTurn::look_for_inputs(SteadyTime now) {
  inputs_->look(store_, now, wish_.max_age);
  take_inputs(now);
}

void CacheTurn::take_inputs(SteadyTime now) {
  if (inputs_->missing() > 0) return;
  block_ = std::make_shared<Block>(0);
  reply_ = inputs_->reply();
  age_ = std::chrono::floor<std::chrono::seconds>(now - inputs_->oldest());
}

std::string_view CacheTurn::shorten(const wire::RequestView& view) {
  if (!fills_ || inputs_->missing() == inputs_->count()) return {};
  short_body_ = inputs_->shorter_body(view);
  whole_body_ = view.body;
  return short_body_;
}

std::string CacheTurn::model() const {
  if (inputs_) return inputs_->model();
  return recorder_ ? recorder_->model() : "";
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

void CacheTurn::keep(const cache::ReplyFacts& facts, SteadyTime now) {
  const cache::EntryFacts where{
      .tenant = tenant_.name, .model = model_, .now = now, .ttl = rules_.ttl, .purges = purges_};
  const auto put = [&](const cache::Digest& key, std::string bytes) {
    if (asks_there()) {
      kept_.push_back({key, std::move(bytes)});
    } else {
      store_.put(key, bytes, where);
    }
  };
  if (std::exchange(fills_, false)) inputs_->keep(facts, rules_.max_entry.count, put);
  if (!recorder_) return;
  std::string bytes =
      extras_->too_large() ? std::string() : recorder_->finish(facts, extras_->bytes());
  recorder_.reset();
  if (!bytes.empty()) put(key_, std::move(bytes));
}

cache::RedisPlace CacheTurn::place() const {
  const bool shares = tenant_.cache == config::TenantCache::shared;
  return {.tenant = shares ? std::string_view{} : tenant_.name, .model = model_, .key = key_};
}

Awaitable<void> CacheTurn::look_there(const cache::Envelope& envelope, SystemTime now) {
  if (!eligible_ || !asks_there()) co_return;
  forget();
  began_ = now;
  if (!wish_.no_cache) {
    eligible_ =
        co_await (inputs_ ? look_for_vectors(envelope, now) : look_for_reply(envelope, now));
    if (!eligible_) co_return;
  }
  if (!answers()) begin_to_keep();
}

std::optional<SystemTime::duration> CacheTurn::age_of(SystemTime stored_at, SystemTime now) const {
  // Replicas' clocks differ a little.
  const auto age = std::max(SystemTime::duration::zero(), now - stored_at);
  if (wish_.max_age && age > *wish_.max_age) return std::nullopt;
  return age;
}

/// False: the store does not answer.
Awaitable<bool> CacheTurn::look_for_reply(const cache::Envelope& envelope, SystemTime now) {
  const auto found = co_await shared_->find(entry(), envelope, rules_.max_entry.count);
  if (!found) co_return false;
  const bool opens = *found && !(*found)->bytes.empty();
  const auto age = opens ? age_of((*found)->stored_at, now) : std::nullopt;
  unfit_ = *found && !age;
  if (age) take_found((*found)->bytes, std::chrono::floor<std::chrono::seconds>(*age));
  co_return true;
}

Awaitable<bool> CacheTurn::look_for_vectors(const cache::Envelope& envelope, SystemTime now) {
  const std::vector<cache::Digest> keys = inputs_->keys();
  auto found = co_await shared_->find_all(place(), keys, envelope, rules_.max_entry.count);
  if (!found) co_return false;
  const SteadyTime here = std::chrono::steady_clock::now();
  std::vector<std::optional<cache::Inputs::Stored>> stored;
  for (auto& entry : *found) {
    const auto age = entry ? age_of(entry->stored_at, now) : std::nullopt;
    auto& one = stored.emplace_back();
    if (age) one = {.bytes = std::move(entry->bytes), .since = here - *age};
  }
  inputs_->take_stored(std::move(stored));
  take_inputs(here);
  co_return true;
}

Awaitable<void> CacheTurn::store_there(const cache::Envelope& envelope) {
  // A store that is away keeps nothing, and the call is none the worse.
  (void)co_await shared_->put(place(), kept_, envelope, {.ttl = rules_.ttl, .began = began_});
  kept_.clear();
}

}  // namespace tollgate::app
