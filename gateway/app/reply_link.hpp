// ReplyLink: one worker's ways to the Redis that keeps replies: those of the cache, and those of
// calls with an Idempotency-Key. Each has a connection of its own, so that large replies hold up
// neither each other nor a reservation. Made with the worker where either stands in Redis; its
// thread.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "gateway/net/redis/client.hpp"
#include "policies/cache/redis.hpp"
#include "policies/cache/shared_flights.hpp"
#include "policies/idempotency/replicas.hpp"

namespace tollgate::app {

class Metrics;

/// Where replies are kept; made with the vault, outlives all links.
struct ReplyPlaces {
  struct Cache {
    net::RedisSettings settings;
    cache::RedisCacheShared shared;
    cache::FlightTerms flights;
  };
  struct Keyed {
    net::RedisSettings settings;
    policies::ReplicaShared shared;
  };
  std::unique_ptr<Cache> cache;  ///< nullptr: in this process, or nowhere
  std::unique_ptr<Keyed> keyed;  ///< of calls with an Idempotency-Key; nullptr: in this process
  net::TlsClientContexts tls;
  [[nodiscard]] bool any() const { return cache || keyed; }

  /// Error: one sentence.
  static Result<std::unique_ptr<ReplyPlaces>> of(const config::Config& config, const Clock& clock);
  /// At each scrape.
  void count(Metrics& metrics) const;
};

class ReplyLink {
 public:
  ReplyLink(boost::asio::io_context& io, net::Deadlines& deadlines, ReplyPlaces& places);
  ~ReplyLink();
  ReplyLink(const ReplyLink&) = delete;
  ReplyLink& operator=(const ReplyLink&) = delete;

  /// nullptr: the cache is in this process.
  [[nodiscard]] cache::RedisCache* cache() { return cache_ ? &cache_->store : nullptr; }
  /// As `cache`.
  [[nodiscard]] cache::SharedFlights* flights() { return flights_ ? &*flights_ : nullptr; }
  /// nullptr: what is known of keys is in this process.
  [[nodiscard]] policies::ReplicaKeys* keyed() { return keyed_ ? &keyed_->store : nullptr; }
  /// On the worker's thread, or before it runs.
  void start();
  /// On the worker's thread, at its end.
  void stop();

 private:
  template <class Store, class Shared>
  struct Way {
    Way(std::shared_ptr<net::RedisClient> with, Shared& shared)
        : client(std::move(with)), store(*client, shared) {}
    std::shared_ptr<net::RedisClient> client;
    Store store;
  };

  template <class Store>
  void await_tick(boost::asio::steady_timer& timer, std::chrono::milliseconds lease, Store& store);

  ReplyPlaces& places_;
  net::Resolver resolver_;
  std::optional<Way<cache::RedisCache, cache::RedisCacheShared>> cache_;
  std::optional<cache::SharedFlights> flights_;
  std::optional<Way<policies::ReplicaKeys, policies::ReplicaShared>> keyed_;
  boost::asio::steady_timer flights_timer_, keyed_timer_;
  bool stopped_ = false;
};

}  // namespace tollgate::app
