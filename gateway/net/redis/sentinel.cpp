#include "gateway/net/redis/sentinel.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/net/asio_task.hpp"

namespace tollgate::net {
namespace {

/// A failover takes seconds; sentinels are not to be asked by every call meanwhile.
constexpr std::chrono::milliseconds ask_pause{100};
/// A master that was replaced may go on answering: nothing fails, and what it is told is lost. So
/// they are asked now and then, beside the calls.
constexpr std::chrono::milliseconds look_again{1000};

std::optional<RedisEndpoint> place(const RedisReply& reply) {
  if (reply.items.size() != 2) return std::nullopt;
  return redis_endpoint(reply.items[0].text.find(':') == std::string::npos
                            ? reply.items[0].text + ":" + reply.items[1].text
                            : "[" + reply.items[0].text + "]:" + reply.items[1].text,
                        0);
}

}  // namespace

SentinelClient::SentinelClient(RedisParts parts, RedisSettings settings)
    : parts_(std::move(parts)), settings_(std::move(settings)) {
  parts_.warn = once(std::move(parts_.warn));
  for (const RedisEndpoint& node : settings_.nodes) {
    sentinels_.push_back(
        std::make_shared<RedisLink>(parts_, settings_, node, RedisHandshake::Peer::sentinel));
  }
}

Awaitable<Result<RedisReply>> SentinelClient::call(std::string_view,
                                                   std::span<const std::string_view> args) {
  const auto self = shared_from_this();
  Result<RedisReply> reply =
      std::unexpected(redis_failure(settings_.master, "no master is known", false));
  // Twice: a master just lost costs this call only the question for the next one.
  for (int attempt = 0; attempt < 2; ++attempt) {
    co_await find_master();
    if (!master_) co_return std::unexpected(redis_failure(settings_.master, failure_, false));
    const Link asked = master_;
    reply = co_await asked->call(args);
    if (reply) {
      auto refusal = redis_refusal(*reply, *asked);
      if (!refusal) co_return reply;
      reply = std::unexpected(std::move(*refusal));
    }
    doubtful_ = true;
    if (!policies::never_sent(reply.error())) break;
  }
  co_return reply;
}

/// Makes sure that `master_` is whom the sentinels name, where there is reason to doubt it.
Awaitable<void> SentinelClient::find_master() {
  const auto now = std::chrono::steady_clock::now();
  const SteadyTime due = doubtful_ ? ask_again_ : ask_again_ + look_again;
  if (!asking_ && !stopped_ && now >= due) {
    asking_ = true;
    start(ask_all(shared_from_this()));
  }
  if (asking_ && doubtful_) co_await gathering_.wait();
}

Awaitable<void> SentinelClient::ask_all(std::shared_ptr<SentinelClient> self) {
  const std::array<std::string_view, 3> question{"SENTINEL", "get-master-addr-by-name",
                                                 settings_.master};
  for (std::size_t i = 0; i < sentinels_.size() && !stopped_; ++i) {
    const Link sentinel = sentinels_[i];
    const auto reply = co_await sentinel->call(question);
    const auto named = reply ? place(*reply) : std::nullopt;
    if (named) {
      follow(*named);
      std::rotate(sentinels_.begin(), sentinels_.begin() + static_cast<std::ptrdiff_t>(i),
                  sentinels_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      break;
    }
    failure_ = reply ? "sentinel " + sentinel->endpoint().text() + " knows no such master"
                     : reply.error().detail;
  }
  ask_again_ = std::chrono::steady_clock::now() + ask_pause;
  asking_ = false;
  gathering_.release();
}

void SentinelClient::follow(const RedisEndpoint& endpoint) {
  doubtful_ = false;
  if (stopped_ || (master_ && master_->endpoint() == endpoint)) return;
  // Calls under way at the old one keep its link until they have ended.
  master_ = std::make_shared<RedisLink>(parts_, settings_, endpoint, RedisHandshake::Peer::master);
}

std::string SentinelClient::replication_id(std::string_view) const {
  return master_ ? master_->replication_id() : std::string{};
}

void SentinelClient::stop() {
  stopped_ = true;
  for (const Link& sentinel : sentinels_)
    sentinel->stop();
  if (master_) master_->stop();
}

}  // namespace tollgate::net
