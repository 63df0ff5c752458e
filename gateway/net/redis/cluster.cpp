#include "gateway/net/redis/cluster.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>

#include "gateway/net/asio_task.hpp"

namespace tollgate::net {
namespace {

constexpr int redirections_max = 5;
constexpr std::chrono::milliseconds refresh_pause{100}, retry_pause{3};

SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

ClusterClient::ClusterClient(RedisParts parts, RedisSettings settings)
    : parts_(std::move(parts)), settings_(std::move(settings)) {
  parts_.warn = once(std::move(parts_.warn));
  if (std::ranges::find(settings_.nodes, settings_.endpoint) == settings_.nodes.end()) {
    settings_.nodes.push_back(settings_.endpoint);
  }
}

Awaitable<Result<RedisReply>> ClusterClient::call(std::string_view slot_key,
                                                  std::span<const std::string_view> args) {
  const auto self = shared_from_this();
  const SteadyTime limit = now() + settings_.connect + settings_.command;
  Way way{slot_of(slot_key), {}};
  int redirections = 0;
  for (;;) {
    const Link to = co_await link_for(way);
    if (!to) co_return std::unexpected(redis_failure("cluster", failure_, false));
    auto reply = co_await to->call(args, way.ask.has_value());
    if (!reply) {
      doubtful_ = true;
      co_return reply;
    }
    way.ask.reset();
    const Step step = look_at(*reply, to->endpoint(), way);
    if (step == Step::answered) {
      if (auto refusal = redis_refusal(*reply, *to)) co_return std::unexpected(*refusal);
      co_return reply;
    }
    const bool enough =
        step == Step::redirected ? ++redirections > redirections_max : now() + retry_pause >= limit;
    if (enough) {
      co_return std::unexpected(redis_failure(to->endpoint().text(), reply->text, false));
    }
    if (step == Step::wait) co_await pause();
  }
}

ClusterClient::Step ClusterClient::look_at(const RedisReply& reply, const RedisEndpoint& asked,
                                           Way& way) {
  if (!reply.is_error()) return Step::answered;
  if (reply.is_error("TRYAGAIN")) return Step::wait;
  if (reply.is_error("CLUSTERDOWN")) {
    doubtful_ = true;
    return Step::wait;
  }
  const auto redirected = redirection(reply, asked);
  if (!redirected) return Step::answered;
  if (reply.is_error("ASK")) {
    way.ask = redirected->to;
  } else {
    slots_.move(redirected->slot, redirected->to);
    begin_refresh();  // where one slot has moved, more have
  }
  return Step::redirected;
}

Awaitable<void> ClusterClient::pause() {
  boost::asio::steady_timer timer(parts_.io, retry_pause);
  co_await timer.async_wait(as_task);
}

/// The link to take; none: no map could be had.
Awaitable<ClusterClient::Link> ClusterClient::link_for(const Way& way) {
  if (way.ask) co_return link(*way.ask);
  // A doubtful map is still the best guess: who has one does not wait for dead nodes to be asked.
  const bool unknown = slots_.master_of(way.slot) == nullptr;
  if (doubtful_ || unknown) begin_refresh();
  if (refreshing_ && unknown) co_await gathering_.wait();
  const RedisEndpoint* const master = slots_.master_of(way.slot);
  if (master == nullptr || stopped_) co_return nullptr;
  co_return link(*master);
}

ClusterClient::Link ClusterClient::link(const RedisEndpoint& endpoint) {
  Link& found = links_[endpoint];
  if (!found) {
    found = std::make_shared<RedisLink>(parts_, settings_, endpoint, RedisHandshake::Peer::any);
    if (stopped_) found->stop();
  }
  return found;
}

void ClusterClient::begin_refresh() {
  if (stopped_ || refreshing_ || now() < refresh_again_) return;
  refreshing_ = true;
  start(refresh(shared_from_this()));
}

Awaitable<void> ClusterClient::refresh(std::shared_ptr<ClusterClient> self) {
  constexpr std::array<std::string_view, 2> question{"CLUSTER", "SLOTS"};
  std::vector<RedisEndpoint> nodes = slots_.masters();
  nodes.insert(nodes.end(), settings_.nodes.begin(), settings_.nodes.end());
  for (const RedisEndpoint& node : nodes) {
    if (stopped_) break;
    const auto reply = co_await link(node)->call(question);
    if (reply && slots_.take(*reply, node)) {
      doubtful_ = false;
      drop_strangers();
      break;
    }
    failure_ = reply ? node.text() + " gave no map of slots: " + reply->text : reply.error().detail;
  }
  refresh_again_ = now() + refresh_pause;
  refreshing_ = false;
  gathering_.release();
}

/// Nodes that left the cluster need no connection; calls under way there end by themselves.
void ClusterClient::drop_strangers() {
  std::erase_if(links_, [this](const auto& entry) {
    return std::ranges::find(slots_.masters(), entry.first) == slots_.masters().end() &&
           std::ranges::find(settings_.nodes, entry.first) == settings_.nodes.end();
  });
}

std::string ClusterClient::replication_id(std::string_view slot_key) const {
  const RedisEndpoint* const master = slots_.master_of(slot_of(slot_key));
  const auto found = master == nullptr ? links_.end() : links_.find(*master);
  return found == links_.end() ? std::string{} : found->second->replication_id();
}

/// Tries texts until each master that the map knows has one.
std::vector<std::string> ClusterClient::key_of_each_node() const {
  std::map<RedisEndpoint, std::string> keys;
  for (int i = 0; i < slot_count && keys.size() < slots_.masters().size(); ++i) {
    std::string key = std::to_string(i);
    const RedisEndpoint* const master = slots_.master_of(slot_of(key));
    if (master != nullptr) keys.try_emplace(*master, std::move(key));
  }
  std::vector<std::string> out;
  for (auto& [node, key] : keys)
    out.push_back(std::move(key));
  return out;
}

void ClusterClient::stop() {
  stopped_ = true;
  for (const auto& [endpoint, link] : links_)
    link->stop();
}

}  // namespace tollgate::net
