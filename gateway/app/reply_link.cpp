#include "gateway/app/reply_link.hpp"

#include "gateway/app/metrics.hpp"

namespace tollgate::app {
namespace {

Result<std::unique_ptr<ReplyPlaces::Cache>> cache_place(const config::Config& config,
                                                        const Clock& clock) {
  const auto& own = config.cache->redis;
  const config::RedisConfig& redis = own ? *own : *config.store.redis;
  auto settings = net::RedisSettings::from(redis);
  if (!settings) return std::unexpected(settings.error());
  return std::unique_ptr<ReplyPlaces::Cache>(
      new ReplyPlaces::Cache{.settings = std::move(*settings),
                             .shared = {.prefix = redis.prefix,
                                        .cluster = redis.mode == config::RedisMode::cluster,
                                        .clock = clock}});
}

Result<std::unique_ptr<ReplyPlaces::Keyed>> keyed_place(const config::StoreConfig& store) {
  auto settings = net::RedisSettings::from(*store.redis);
  if (!settings) return std::unexpected(settings.error());
  return std::unique_ptr<ReplyPlaces::Keyed>(
      new ReplyPlaces::Keyed{.settings = std::move(*settings),
                             .shared = {.prefix = store.redis->prefix,
                                        .lease = store.lease,
                                        .on_error = store.on_error.idempotency}});
}

void count_keyed(Metrics& metrics, const policies::ReplicaShared& shared) {
  const auto raise = [&](const char* outcome, std::uint64_t count) {
    metrics.raise("tollgate_idempotency_shared_total",
                  "What the replicas' Redis said of Idempotency-Keys that were new here.",
                  static_cast<double>(count), {{"outcome", outcome}});
  };
  raise("run", shared.granted);
  raise("joined", shared.joined);
  raise("replayed", shared.replayed);
  raise("reused", shared.reused);
  raise("unknown", shared.unknown);
  raise("away", shared.away);
}

}  // namespace

Result<std::unique_ptr<ReplyPlaces>> ReplyPlaces::of(const config::Config& config,
                                                     const Clock& clock) {
  auto places = std::make_unique<ReplyPlaces>();
  if (config.cache && config.cache->store == config::CacheStore::redis) {
    auto cache = cache_place(config, clock);
    if (!cache) return std::unexpected(cache.error());
    places->cache = std::move(*cache);
  }
  if (config.store.redis) {
    auto keyed = keyed_place(config.store);
    if (!keyed) return std::unexpected(keyed.error());
    places->keyed = std::move(*keyed);
  }
  return places;
}

void ReplyPlaces::count(Metrics& metrics) const {
  if (keyed) count_keyed(metrics, keyed->shared);
  if (!cache) return;
  metrics.gauge("tollgate_cache_store_up", "0 while the cache's Redis does not answer: a bypass.",
                cache->shared.away ? 0 : 1);
  metrics.raise("tollgate_cache_store_errors_total",
                "Questions that the cache's Redis did not answer in time.",
                static_cast<double>(cache->shared.errors));
  metrics.raise("tollgate_cache_unreadable_total",
                "Entries in Redis that were damaged or not sealed by a key of ours.",
                static_cast<double>(cache->shared.unreadable));
}

ReplyLink::ReplyLink(boost::asio::io_context& io, net::Deadlines& deadlines, ReplyPlaces& places)
    : places_(places), resolver_(io, net::ares_source(io)), timer_(io) {
  // Nobody is to be warned that the cache may forget.
  const net::RedisParts parts{io, deadlines, resolver_, places.tls, nullptr};
  if (places.cache) {
    cache_.emplace(net::redis_client(parts, places.cache->settings), places.cache->shared);
  }
  if (places.keyed) {
    keyed_.emplace(net::redis_client(parts, places.keyed->settings), places.keyed->shared);
  }
}

ReplyLink::~ReplyLink() = default;

void ReplyLink::start() {
  if (keyed_) await_tick();
}

void ReplyLink::await_tick() {
  timer_.expires_after(places_.keyed->shared.lease / 3);
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed) return;
    keyed_->store.renew();
    await_tick();
  });
}

void ReplyLink::stop() {
  timer_.cancel();
  if (keyed_) keyed_->client->stop();
  if (cache_) cache_->client->stop();
  resolver_.stop();
}

}  // namespace tollgate::app
