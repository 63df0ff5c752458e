// RedisLink: the way to one node of Redis for one worker: connects when first needed (name, TCP,
// TLS, handshake), again after a loss, more slowly while that fails, and keeps callers off a node
// that does not answer. Owned by a client (client.hpp); the worker's thread.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "gateway/net/dns.hpp"
#include "gateway/net/redis/breaker.hpp"
#include "gateway/net/redis/gathering.hpp"
#include "gateway/net/redis/handshake.hpp"
#include "gateway/net/redis/pipeline.hpp"
#include "gateway/net/tls.hpp"

namespace tollgate::net {

/// What the links of one worker stand on; all outlive them.
struct RedisParts {
  boost::asio::io_context& io;
  Deadlines& deadlines;
  Resolver& resolver;
  TlsClientContexts& tls;
  std::function<void(std::string_view)> warn;  ///< a sentence for the log
};

class RedisLink : public std::enable_shared_from_this<RedisLink> {
 public:
  RedisLink(RedisParts parts, RedisSettings settings, RedisEndpoint endpoint,
            RedisHandshake::Peer peer)
      : parts_(std::move(parts)),
        settings_(std::move(settings)),
        endpoint_(std::move(endpoint)),
        peer_(peer) {}
  ~RedisLink() { drop("no longer needed"); }
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  /// Sends one command, behind ASKING where `asking`. Error: store_unavailable.
  Awaitable<Result<RedisReply>> call(std::span<const std::string_view> args, bool asking = false);
  /// Lets the connection go; the next call makes another.
  void drop(std::string_view why);
  /// For good: ends what waits and connects no more.
  void stop();
  [[nodiscard]] const RedisEndpoint& endpoint() const { return endpoint_; }
  /// As of the last handshake.
  [[nodiscard]] const RedisFacts& facts() const { return facts_; }
  /// Whose data the connection leads to; empty while there is none.
  [[nodiscard]] std::string replication_id() const {
    return pipeline_ && pipeline_->is_open() ? facts_.replication_id : std::string{};
  }

 private:
  using Pipeline = std::shared_ptr<RedisPipeline>;
  Awaitable<Result<Pipeline>> ready();
  Awaitable<void> connect(std::shared_ptr<RedisLink> self);
  Awaitable<std::expected<void, std::string>> establish(Patience& patience);
  Awaitable<std::expected<std::unique_ptr<Stream>, std::string>> reach(Patience& patience);
  Awaitable<std::expected<void, std::string>> greet(Stream& stream, ReplyReader& replies,
                                                    Patience& patience);
  void adopt(std::unique_ptr<Stream> stream, ReplyReader replies);
  void connect_failed(std::string why);

  RedisParts parts_;
  RedisSettings settings_;
  RedisEndpoint endpoint_;
  RedisHandshake::Peer peer_;
  RedisBreaker breaker_;
  RedisFacts facts_;
  Pipeline pipeline_;
  Gathering gathering_;
  AbortSlot abort_;
  std::string failure_;  // the last one
  SteadyTime not_before_{};
  std::chrono::milliseconds pause_{0};
  bool connecting_ = false;
};

}  // namespace tollgate::net
