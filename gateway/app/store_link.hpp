// StoreLink: one worker's way to Redis: the client, the store over it, and the clockwork that keeps
// leases alive. Made with the worker where the configuration says `store.redis`; its thread.
#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "gateway/app/log.hpp"
#include "gateway/net/redis/client.hpp"
#include "policies/store/redis.hpp"

namespace tollgate::app {

/// Where the store is; made with the vault, outlives all links.
struct StorePlace {
  StorePlace(net::RedisSettings where, policies::RedisTerms terms, const Clock& clock)
      : settings(std::move(where)), shared(std::move(terms), clock) {}
  net::RedisSettings settings;
  policies::RedisShared shared;
  net::TlsClientContexts tls;
  std::atomic<bool> looked_after{false};  ///< one of the workers does
};

/// Before the first worker: whether the data there are of a version that this build knows (M24).
/// A store that does not answer is none of its business: `on_error` holds. Error: one sentence.
[[nodiscard]] Result<void> greet_store(StorePlace& place, Log& log);

class StoreLink {
 public:
  StoreLink(boost::asio::io_context& io, net::Deadlines& deadlines, StorePlace& place, Log& log);
  ~StoreLink();
  StoreLink(const StoreLink&) = delete;
  StoreLink& operator=(const StoreLink&) = delete;

  [[nodiscard]] Store& store() { return store_; }
  /// On the worker's thread, or before it runs.
  void start();
  /// On the worker's thread, at its end.
  void stop();

 private:
  void tick();

  boost::asio::io_context& io_;
  StorePlace& place_;
  net::Resolver resolver_;
  std::shared_ptr<net::RedisClient> client_;
  policies::RedisStore store_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace tollgate::app
