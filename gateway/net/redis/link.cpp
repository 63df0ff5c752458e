#include "gateway/net/redis/link.hpp"

#include <algorithm>
#include <array>

#include "gateway/net/asio_task.hpp"
#include "gateway/net/dial.hpp"

namespace tollgate::net {
namespace {

constexpr std::chrono::milliseconds first_pause{20}, longest_pause{500};
constexpr std::string_view too_slow = "no connection in time";

SteadyTime now() { return std::chrono::steady_clock::now(); }

std::unexpected<std::string> broken(const Patience& patience, std::string why) {
  return std::unexpected(patience.over() ? std::string(too_slow) : std::move(why));
}

}  // namespace

Awaitable<Result<RedisReply>> RedisLink::call(std::span<const std::string_view> args, bool asking) {
  const auto self = shared_from_this();
  if (!breaker_.admit(now())) {
    co_return std::unexpected(
        redis_failure(endpoint_.text(), "not asked after failures: " + failure_, false));
  }
  auto pipeline = co_await ready();
  if (!pipeline) co_return std::unexpected(pipeline.error());
  auto reply = co_await (*pipeline)->call(args, asking);
  if (reply) {
    breaker_.succeeded();
  } else if ((*pipeline)->is_open()) {  // else the loss has been counted, once for all
    failure_ = "no answer in time";
    breaker_.failed(now());
  }
  co_return reply;
}

Awaitable<Result<RedisLink::Pipeline>> RedisLink::ready() {
  if (pipeline_ && pipeline_->is_open()) co_return pipeline_;
  const bool may_connect = now() >= not_before_ && !abort_.aborted();
  if (!connecting_ && may_connect) {
    connecting_ = true;
    start(connect(shared_from_this()));
  }
  if (connecting_) co_await gathering_.wait();
  if (pipeline_ && pipeline_->is_open()) co_return pipeline_;
  co_return std::unexpected(redis_failure(endpoint_.text(), failure_, false));
}

Awaitable<void> RedisLink::connect(std::shared_ptr<RedisLink> self) {
  std::expected<void, std::string> done;
  {
    Patience patience(parts_.deadlines, abort_, never);
    const AbortScope scope(abort_, patience);
    patience.stage(now() + settings_.connect);
    done = co_await establish(patience);
  }
  connecting_ = false;
  if (!done) connect_failed(std::move(done.error()));
  gathering_.release();
}

void RedisLink::connect_failed(std::string why) {
  failure_ = std::move(why);
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  not_before_ = now() + pause_;
  breaker_.failed(now());
}

Awaitable<std::expected<void, std::string>> RedisLink::establish(Patience& patience) {
  auto stream = co_await reach(patience);
  if (!stream) co_return std::unexpected(stream.error());
  ReplyReader replies;
  auto greeted = co_await greet(**stream, replies, patience);
  if (greeted && patience.over()) greeted = broken(patience, {});
  if (greeted) adopt(std::move(*stream), std::move(replies));
  co_return greeted;
}

Awaitable<std::expected<std::unique_ptr<Stream>, std::string>> RedisLink::reach(
    Patience& patience) {
  auto addresses = co_await parts_.resolver.resolve(endpoint_.host, patience);
  if (!addresses) co_return broken(patience, "its name: " + addresses.error());
  auto socket = co_await dial(parts_.io, *addresses, endpoint_.port, patience);
  if (!socket) co_return broken(patience, socket.error().message());
  auto plain = plain_stream(std::move(*socket));
  if (!settings_.tls) co_return plain;
  auto context = parts_.tls.get(settings_.trust);
  if (!context) co_return std::unexpected(context.error().message);
  auto stream =
      tls_client_stream(plain->release(), std::move(*context), endpoint_.host, endpoint_.port);
  const Waking waking(patience, [&stream] { stream->wake_read(); });
  const IoResult done =
      patience.over() ? IoResult{IoStatus::woken, 0, {}} : co_await stream->handshake();
  if (done.status == IoStatus::ok) co_return stream;
  const std::string why = stream->failure();
  co_return broken(patience, "TLS: " + (why.empty() ? done.error.message() : why));
}

Awaitable<std::expected<void, std::string>> RedisLink::greet(Stream& stream, ReplyReader& replies,
                                                             Patience& patience) {
  const Waking waking(patience, [&stream] {
    stream.wake_read();
    stream.wake_write();
  });
  RedisHandshake handshake(settings_, peer_);
  const std::array<std::string_view, 1> parts{handshake.commands()};
  IoResult went = co_await stream.write_all(parts);
  std::vector<char> buffer(8192);
  while (!handshake.done()) {
    if (went.status != IoStatus::ok || patience.over()) {
      const bool end = went.status == IoStatus::eof;
      co_return broken(patience, end ? "it closed the connection" : went.error.message());
    }
    went = co_await stream.read_some(buffer);
    replies.feed({buffer.data(), went.status == IoStatus::ok ? went.bytes : 0});
    while (!handshake.done()) {
      auto reply = replies.next();
      if (!reply) co_return std::unexpected(reply.error().message);
      if (!*reply) break;
      auto taken = handshake.take(**reply);
      if (!taken) co_return std::unexpected(taken.error().message);
    }
  }
  facts_ = handshake.facts();
  co_return std::expected<void, std::string>{};
}

void RedisLink::adopt(std::unique_ptr<Stream> stream, ReplyReader replies) {
  pause_ = std::chrono::milliseconds{0};
  // Weak: the pipeline may end when the link has gone.
  auto lost = [weak = weak_from_this()] {
    const auto link = weak.lock();
    if (!link) return;
    link->failure_ = "the connection was lost";
    link->breaker_.failed(now());
  };
  pipeline_ = std::make_shared<RedisPipeline>(
      RedisPipeline::Parts{parts_.io, parts_.deadlines, endpoint_.text(), settings_.command,
                           std::move(lost)},
      std::move(stream), std::move(replies));
  pipeline_->begin();
  if (!facts_.eviction.empty() && facts_.eviction != "noeviction" && parts_.warn) {
    parts_.warn("redis " + endpoint_.text() + " may forget limits and budgets when its memory is " +
                "full: its maxmemory-policy is " + facts_.eviction + ", not noeviction");
  }
}

void RedisLink::drop(std::string_view why) {
  if (pipeline_) pipeline_->close(why);
}

void RedisLink::stop() {
  failure_ = "it is being shut down";
  abort_.abort(redis_failure(endpoint_.text(), failure_, false));
  drop(failure_);
}

}  // namespace tollgate::net
