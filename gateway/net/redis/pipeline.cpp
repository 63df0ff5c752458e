#include "gateway/net/redis/pipeline.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

#include "gateway/core/signal.hpp"
#include "gateway/net/asio_task.hpp"

namespace tollgate::net {
namespace {

constexpr std::size_t read_bytes = std::size_t{16} << 10U;
constexpr int stuck_factor = 4;

std::string_view why_ended(const IoResult& result, std::string& text) {
  if (result.status == IoStatus::eof) return "it closed the connection";
  return text = result.error.message();
}

}  // namespace

Error redis_failure(std::string_view place, std::string_view why, bool sent) {
  Error error = make_error(ErrorKind::store_unavailable, "limits cannot be checked right now");
  error.detail.append("redis ").append(place).append(": ").append(why);
  error.retry = sent ? Retry::never : Retry::same_or_other;
  return error;
}

/// One call under way; lives in its frame.
class RedisPipeline::Waiter final : public Deadline {
 public:
  explicit Waiter(RedisPipeline& pipeline)
      : Deadline(pipeline.parts_.deadlines), pipeline_(pipeline) {}

  void finish(Result<RedisReply> answer) {
    disarm();
    answer_ = std::move(answer);
    answered_.notify();
  }
  Awaitable<Result<RedisReply>> wait() {
    if (!answer_) co_await answered_.wait();
    co_return std::move(*answer_);
  }

 private:
  void expired() override {
    pipeline_.give_up(*this);
    answer_ = std::unexpected(redis_failure(pipeline_.parts_.place, "no answer in time", true));
    // Not here: whoever is resumed destroys this.
    boost::asio::post(pipeline_.parts_.io, [this] { answered_.notify(); });
  }
  RedisPipeline& pipeline_;
  Signal answered_;
  std::optional<Result<RedisReply>> answer_;
};

/// Rings when replies are owed and none has come for long.
class RedisPipeline::Stuck final : public Deadline {
 public:
  explicit Stuck(RedisPipeline& pipeline)
      : Deadline(pipeline.parts_.deadlines), pipeline_(pipeline) {}
  void progress() {
    const bool owed = !pipeline_.waiting_.empty();
    arm(owed ? std::chrono::steady_clock::now() + pipeline_.parts_.command * stuck_factor : never);
  }

 private:
  void expired() override {
    boost::asio::post(pipeline_.parts_.io, [kept = pipeline_.shared_from_this()] {
      kept->ended("it has stopped answering");
    });
  }
  RedisPipeline& pipeline_;
};

RedisPipeline::RedisPipeline(Parts parts, std::unique_ptr<Stream> stream, ReplyReader replies)
    : parts_(std::move(parts)),
      stream_(std::move(stream)),
      replies_(std::move(replies)),
      stuck_(std::make_unique<Stuck>(*this)) {}

RedisPipeline::~RedisPipeline() = default;

void RedisPipeline::begin() { start(read(shared_from_this())); }

Awaitable<Result<RedisReply>> RedisPipeline::call(std::span<const std::string_view> args,
                                                  bool asking) {
  if (!open_) co_return std::unexpected(redis_failure(parts_.place, "not connected", false));
  const auto self = shared_from_this();
  Waiter waiter(*this);
  if (asking) {
    const std::array<std::string_view, 1> ask{"ASKING"};
    append_command(out_, ask);
    queue(nullptr);
  }
  append_command(out_, args);
  queue(&waiter);
  flush_soon();
  waiter.arm(std::chrono::steady_clock::now() + parts_.command);
  co_return co_await waiter.wait();
}

void RedisPipeline::queue(Waiter* waiter) {
  waiting_.push_back(waiter);
  if (waiting_.size() == 1) stuck_->progress();
}

void RedisPipeline::flush_soon() {
  if (std::exchange(writing_, true)) return;
  // Behind what else is due in this turn of the loop: other calls join.
  boost::asio::post(parts_.io, [self = shared_from_this()] { start(self->write(self)); });
}

Awaitable<void> RedisPipeline::write(std::shared_ptr<RedisPipeline> self) {
  while (open_ && !out_.empty()) {
    leaving_.clear();
    std::swap(leaving_, out_);
    const std::array<std::string_view, 1> parts{leaving_};
    const IoResult sent = co_await stream_->write_all(parts);
    std::string text;
    if (sent.status != IoStatus::ok) ended(why_ended(sent, text));
  }
  writing_ = false;
}

Awaitable<void> RedisPipeline::read(std::shared_ptr<RedisPipeline> self) {
  std::vector<char> buffer(read_bytes);
  while (open_) {
    const IoResult got = co_await stream_->read_some(buffer);
    if (!open_) break;
    std::string text;
    if (got.status != IoStatus::ok) {
      ended(why_ended(got, text));
      break;
    }
    replies_.feed({buffer.data(), got.bytes});
    if (!take_replies()) break;
  }
}

/// False: the connection has ended.
bool RedisPipeline::take_replies() {
  while (open_) {
    auto reply = replies_.next();
    if (!reply || (*reply && waiting_.empty())) {
      ended(reply ? "it answered what nobody asked" : reply.error().message);
      return false;
    }
    if (!*reply) return true;
    Waiter* const waiter = waiting_.front();
    waiting_.pop_front();
    stuck_->progress();
    if (waiter != nullptr) waiter->finish(std::move(**reply));
  }
  return false;
}

void RedisPipeline::give_up(Waiter& waiter) {
  std::ranges::replace(waiting_, &waiter, static_cast<Waiter*>(nullptr));
}

void RedisPipeline::ended(std::string_view why) {
  if (!open_) return;
  const auto lost = parts_.lost;
  close(why);
  if (lost) lost();
}

void RedisPipeline::close(std::string_view why) {
  if (!std::exchange(open_, false)) return;
  const auto self = shared_from_this();
  stuck_->disarm();
  stream_->close();
  parts_.lost = nullptr;
  // Those who are resumed may look at this again.
  const auto waiting = std::exchange(waiting_, {});
  for (Waiter* const waiter : waiting) {
    if (waiter != nullptr) {
      waiter->finish(std::unexpected(redis_failure(parts_.place, why, true)));
    }
  }
}

}  // namespace tollgate::net
