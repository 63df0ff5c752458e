#include "gateway/app/reply_link.hpp"

#include <algorithm>

#include "gateway/app/metrics.hpp"

namespace tollgate::app {
namespace {

/// For so long the others wait for a replica that has died; losing it costs them a call.
constexpr std::chrono::seconds flight_lease{10};

Result<std::unique_ptr<ReplyPlaces::Cache>> cache_place(const config::Config& config,
                                                        const Clock& clock) {
  const auto& own = config.cache->redis;
  const config::RedisConfig& redis = own ? *own : *config.store.redis;
  auto settings = net::RedisSettings::from(redis);
  if (!settings) return std::unexpected(settings.error());
  return std::unique_ptr<ReplyPlaces::Cache>(new ReplyPlaces::Cache{
      .settings = std::move(*settings),
      .shared = {.prefix = redis.prefix,
                 .cluster = redis.mode == config::RedisMode::cluster,
                 .clock = clock},
      .flights = {.prefix = redis.prefix,
                  .lease = std::min<std::chrono::milliseconds>(flight_lease, config.store.lease)}});
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

void count_flights(Metrics& metrics, const cache::FlightTerms& terms) {
  const auto raise = [&](const char* outcome, std::uint64_t count) {
    metrics.raise(
        "tollgate_coalesce_shared_total",
        "Calls that led for all replicas or waited for another one's, and how that ended.",
        static_cast<double>(count), {{"outcome", outcome}});
  };
  raise("led", terms.led);
  raise("waited", terms.waited);
  raise("given", terms.given);
  raise("refused", terms.refused);
  raise("lost", terms.lost);
  raise("away", terms.away);
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
  count_flights(metrics, cache->flights);
}

ReplyLink::ReplyLink(boost::asio::io_context& io, net::Deadlines& deadlines, ReplyPlaces& places)
    : places_(places), resolver_(io, net::ares_source(io)), flights_timer_(io), keyed_timer_(io) {
  // Nobody is to be warned that the cache may forget.
  const net::RedisParts parts{io, deadlines, resolver_, places.tls, nullptr};
  if (places.cache) {
    cache_.emplace(net::redis_client(parts, places.cache->settings), places.cache->shared);
    flights_.emplace(*cache_->client, places.cache->flights);
  }
  if (places.keyed) {
    keyed_.emplace(net::redis_client(parts, places.keyed->settings), places.keyed->shared);
  }
}

ReplyLink::~ReplyLink() = default;

void ReplyLink::start() {
  if (flights_) await_tick(flights_timer_, places_.cache->flights.lease, *flights_);
  if (keyed_) await_tick(keyed_timer_, places_.keyed->shared.lease, keyed_->store);
}

template <class Store>
void ReplyLink::await_tick(boost::asio::steady_timer& timer, std::chrono::milliseconds lease,
                           Store& store) {
  timer.expires_after(lease / 3);
  timer.async_wait([this, &timer, lease, &store](const boost::system::error_code& failed) {
    if (failed || stopped_) return;
    store.renew();
    await_tick(timer, lease, store);
  });
}

void ReplyLink::stop() {
  stopped_ = true;
  flights_timer_.cancel();
  keyed_timer_.cancel();
  if (keyed_) keyed_->client->stop();
  if (cache_) cache_->client->stop();
  resolver_.stop();
}

}  // namespace tollgate::app
