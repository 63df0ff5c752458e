#include "gateway/net/redis/client.hpp"

#include <algorithm>
#include <array>

#include "gateway/net/redis/cluster.hpp"
#include "gateway/net/redis/sentinel.hpp"

namespace tollgate::net {
namespace {

/// One server that is always found at the same place.
class SingleClient final : public RedisClient {
 public:
  SingleClient(RedisParts parts, RedisSettings settings) {
    const RedisEndpoint at = settings.endpoint;
    parts.warn = once(std::move(parts.warn));
    link_ = std::make_shared<RedisLink>(std::move(parts), std::move(settings), at,
                                        RedisHandshake::Peer::any);
  }

  Awaitable<Result<RedisReply>> call(std::string_view,
                                     std::span<const std::string_view> args) override {
    auto reply = co_await link_->call(args);
    if (!reply) co_return reply;
    if (auto refusal = redis_refusal(*reply, *link_)) co_return std::unexpected(*refusal);
    co_return reply;
  }
  std::string replication_id(std::string_view) const override { return link_->replication_id(); }
  void stop() override { link_->stop(); }

 private:
  std::shared_ptr<RedisLink> link_;
};

}  // namespace

std::function<void(std::string_view)> once(std::function<void(std::string_view)> warn) {
  if (!warn) return warn;
  return [warn = std::move(warn), said = std::make_shared<bool>(false)](std::string_view text) {
    if (!std::exchange(*said, true)) warn(text);
  };
}

std::optional<Error> redis_refusal(const RedisReply& reply, RedisLink& link) {
  if (!reply.is_error()) return std::nullopt;
  constexpr std::array<std::string_view, 4> words{"LOADING", "READONLY", "MASTERDOWN",
                                                  "CLUSTERDOWN"};
  const auto is = [&reply](std::string_view word) { return reply.is_error(word); };
  if (!std::ranges::any_of(words, is)) return std::nullopt;
  // The master of yesterday: its name may lead elsewhere by now.
  if (reply.is_error("READONLY")) link.drop(reply.text);
  return redis_failure(link.endpoint().text(), reply.text, false);
}

std::shared_ptr<RedisClient> redis_client(const RedisParts& parts, const RedisSettings& settings) {
  switch (settings.mode) {
    case config::RedisMode::sentinel:
      return std::make_shared<SentinelClient>(parts, settings);
    case config::RedisMode::cluster:
      return std::make_shared<ClusterClient>(parts, settings);
    case config::RedisMode::single:
      break;
  }
  return std::make_shared<SingleClient>(parts, settings);
}

}  // namespace tollgate::net
