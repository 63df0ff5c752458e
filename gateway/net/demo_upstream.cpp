#include "gateway/net/demo_upstream.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "gateway/net/asio_task.hpp"
#include "gateway/net/patience.hpp"
#include "gateway/net/pause.hpp"
#include "routing/providers/demo_script.hpp"

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
using routing::ReadStep;

constexpr std::size_t block_bytes = 4 * 1024;

SteadyTime now() { return std::chrono::steady_clock::now(); }

class DemoReply final : public routing::UpstreamReply {
 public:
  DemoReply(asio::io_context& io, Deadlines& deadlines, const routing::UpstreamRequest& request,
            routing::DemoScript script)
      : request_(request),
        script_(std::move(script)),
        patience_(deadlines, request.slot, request.deadline),
        timer_(io) {
    times_.sent = now();
    due_ = times_.sent + script_.head_delay;
    head_.status = script_.status;
    head_.headers = std::move(script_.headers);
    head_.framing = Framing::chunked;
  }

  Awaitable<Result<bool>> await_head(SteadyTime until) override {
    const auto& timeouts = request_.provider.timeouts;
    const SteadyTime limit = request_.stream ? times_.sent + timeouts.first_byte : never;
    auto come = co_await wait(until, limit, "the answer");
    if (!come || !*come) co_return come;
    times_.first_byte = last_ = now();
    prepare_step();
    co_return true;
  }

  Awaitable<Result<ReadStep>> read(SteadyTime until) override {
    if (!closed_ && step_ == script_.steps.size()) {
      if (!script_.dies) co_return ReadStep{};
      co_return std::unexpected(cut("the answer was cut"));
    }
    const SteadyTime limit = last_ + request_.provider.timeouts.idle;
    const auto come = co_await wait(until, limit, "the next piece of the answer");
    if (!come) co_return std::unexpected(come.error());
    if (!*come) co_return ReadStep{ReadStep::What::timeout, {}, {}};
    last_ = now();
    co_return take_step();
  }

  [[nodiscard]] const ResponseHead& head() const override { return head_; }
  [[nodiscard]] const routing::UpstreamTimes& times() const override { return times_; }
  void close() noexcept override {
    closed_ = true;
    patience_.end();
  }

 private:
  /// Waits until what comes next is due; false: `until` passed first.
  Awaitable<Result<bool>> wait(SteadyTime until, SteadyTime limit, std::string_view what) {
    if (request_.slot.aborted()) co_return std::unexpected(request_.slot.reason());
    if (closed_) co_return std::unexpected(cut("the exchange was abandoned"));
    patience_.stage(std::min(until, limit));
    const AbortScope scope(request_.slot, patience_);
    const Waking waking(patience_, [this] { timer_.cancel(); });
    while (now() < due_ && !patience_.over()) {
      timer_.expires_at(due_);
      co_await timer_.async_wait(as_task);
    }
    if (closed_) co_return std::unexpected(cut("the exchange was abandoned"));
    const bool in_time = until < limit && until < request_.deadline;
    if (patience_.over() && (request_.slot.aborted() || !in_time)) {
      co_return std::unexpected(patience_.why(request_.provider.name, what));
    }
    const bool due = !patience_.over();
    patience_.rest();
    co_return due;
  }

  Error cut(std::string_view message) const {
    if (request_.slot.aborted()) return request_.slot.reason();
    return upstream_failure(ErrorKind::stream_cut, request_.provider.name, message);
  }

  /// The time of the next step counts from the one before, not from when that was read: a slow
  /// reader does not slow the script down.
  void prepare_step() {
    if (step_ < script_.steps.size()) due_ += script_.steps[step_].delay;
  }

  ReadStep take_step() {
    const std::string& bytes = script_.steps[step_].bytes;
    const std::size_t room = block_ ? block_->capacity() : 0;
    if (room < bytes.size() || block_.use_count() > 1) {
      block_ = std::make_shared<Block>(std::max(block_bytes, bytes.size()));
    }
    block_->reset();
    ReadStep step{ReadStep::What::bytes, block_, block_->append(bytes)};
    ++step_;
    prepare_step();
    return step;
  }

  routing::UpstreamRequest request_;
  routing::DemoScript script_;
  Patience patience_;
  asio::steady_timer timer_;
  routing::UpstreamTimes times_;
  ResponseHead head_;
  std::shared_ptr<Block> block_;
  std::size_t step_ = 0;
  SteadyTime due_{}, last_{};
  bool closed_ = false;
};

}  // namespace

Awaitable<Result<std::unique_ptr<routing::UpstreamReply>>> DemoUpstream::send(
    const routing::UpstreamRequest& request) {
  if (request.slot.aborted()) co_return std::unexpected(request.slot.reason());
  const auto created = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  co_return std::make_unique<DemoReply>(
      io_, deadlines_, request,
      routing::make_demo_script(request.http.target, request.http.body.joined(), created.count()));
}

Awaitable<Result<void>> DemoUpstream::pause(SteadyTime until, AbortSlot& slot) {
  return net::pause(io_, until, slot);
}

}  // namespace tollgate::net
