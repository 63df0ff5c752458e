#include "gateway/net/exchange.hpp"

#include <charconv>

#include "gateway/net/early_answer.hpp"
#include "gateway/wire/http_head.hpp"

namespace tollgate::net {
namespace {

constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr int interim_max = 16;
constexpr std::string_view abandoned = "the exchange was abandoned";
constexpr std::string_view unreadable = "its compressed answer is broken";
constexpr std::string_view answering = "the answer";
constexpr std::string_view next_piece = "the next piece of the answer";

SteadyTime now() { return std::chrono::steady_clock::now(); }

/// How long the peer keeps an idle connection: a second less than it says, so that it does not
/// close it just when we write.
std::chrono::milliseconds idle_limit(const ResponseHead& head) {
  const std::string_view value = head.header("keep-alive");
  const std::size_t at = value.find("timeout=");
  if (at == std::string_view::npos) return std::chrono::milliseconds::max();
  long seconds = 0;
  const char* digits = value.data() + at + 8;
  const auto read = std::from_chars(digits, value.data() + value.size(), seconds);
  if (read.ec != std::errc() || seconds > 86400) return std::chrono::milliseconds::max();
  return std::chrono::seconds(seconds - 1);
}

}  // namespace

Exchange::Exchange(Pool& pool, Connector& connector, const routing::UpstreamRequest& request,
                   std::shared_ptr<const Way> way, std::string head)
    : pool_(pool),
      connector_(connector),
      request_(request),
      way_(std::move(way)),
      request_head_(std::move(head)),
      patience_(connector.parts().deadlines, request.slot, request.deadline) {
  const auto& body = request.http.body.parts();
  parts_.reserve(1 + body.size());
  parts_.push_back(request_head_);
  parts_.insert(parts_.end(), body.begin(), body.end());
}

std::unexpected<Error> Exchange::broken(ErrorKind kind, std::string_view message,
                                        std::string detail) {
  const AbortSlot& slot = request_.slot;
  Error error = slot.aborted()
                    ? slot.reason()
                    : upstream_failure(kind, request_.provider.name, message, std::move(detail));
  close();
  return std::unexpected(std::move(error));
}

/// Patience is over.
std::unexpected<Error> Exchange::give_up(std::string_view what) {
  Error error = patience_.why(request_.provider.name, what);
  close();
  return std::unexpected(std::move(error));
}

Awaitable<Result<void>> Exchange::begin() {
  if (request_.slot.aborted()) co_return std::unexpected(request_.slot.reason());
  const AbortScope scope(request_.slot, patience_);
  connection_ = pool_.take(way_->key);
  if (connection_) {
    UpstreamStats::add(connector_.parts().stats.reused);
  } else {
    auto connected = co_await connect();
    if (!connected) co_return std::unexpected(connected.error());
  }
  head_limit_ = request_.stream ? now() + request_.provider.timeouts.first_byte : never;
  co_return co_await write();
}

/// A fresh connection instead of what there was.
Awaitable<Result<void>> Exchange::connect() {
  connection_.reset();
  patience_.stage(now() + request_.provider.timeouts.connect);
  auto fresh = co_await connector_.connect({request_.provider, way_->proxy}, way_->key, patience_);
  if (!fresh) co_return std::unexpected(fresh.error());
  if (closed_) co_return broken(ErrorKind::stream_cut, abandoned);
  connection_ = std::move(*fresh);
  co_return Result<void>{};
}

/// Writes the request. A failed write is no error yet: the peer may have answered early (a 413,
/// say) and closed; the read that follows finds either the answer or the failure.
Awaitable<Result<void>> Exchange::write() {
  times_.reused = connection_->reused;
  patience_.stage(head_limit_);
  if (patience_.over()) co_return give_up("sending the request");
  Stream& stream = *connection_->stream;
  {
    const EarlyAnswer early(stream, parts_);
    const Waking waking(patience_, [&stream] { stream.wake_write(); });
    const IoResult sent = co_await stream.write_all(parts_);
    sent_whole_ = sent.status == IoStatus::ok;
  }
  // What went out whole may be billed, however late it is: who awaits the answer gives up.
  if (!sent_whole_ && patience_.over()) co_return give_up("sending the request");
  if (closed_) co_return broken(ErrorKind::stream_cut, abandoned);
  patience_.rest();
  times_.sent = times_.looked = now();
  co_return Result<void>{};
}

/// One read into the connection's buffer, until `until` (then the status is woken) or `limit` (an
/// error: `what` took too long). Its loop stands with who reads, which spares a coroutine a read.
class Exchange::Reading {
 public:
  Reading(Exchange& of, SteadyTime until, SteadyTime limit, std::string_view what)
      : of_(of),
        stream_(*of.connection_->stream),
        until_(until),
        limit_(limit),
        what_(what),
        scope_(of.request_.slot, of.patience_),
        waking_(of.patience_, Wake{stream_}) {
    of.patience_.stage(std::min(until, limit));
  }

  /// Whether to wait until the stream is readable.
  [[nodiscard]] bool waits() const {
    if (got_.status != IoStatus::woken || of_.patience_.over()) return false;
    of_.connection_->buffer.rest();
    return true;
  }
  [[nodiscard]] Awaitable<IoResult> readable() const { return stream_.readable(); }
  void read(const IoResult& ready) {
    got_ = ready;
    if (ready.status == IoStatus::ok) got_ = stream_.read_now(of_.connection_->buffer.room());
  }
  /// What became of it.
  Result<IoResult> result() {
    Patience& patience = of_.patience_;
    if (got_.status != IoStatus::ok && patience.over()) {
      const bool in_time = until_ < limit_ && until_ < of_.request_.deadline;
      if (of_.request_.slot.aborted() || !in_time) return of_.give_up(what_);
    }
    patience.rest();
    of_.times_.looked = now();
    if (got_.status == IoStatus::ok) {
      of_.connection_->buffer.filled(got_.bytes);
      of_.last_byte_ = of_.times_.looked;
    }
    return got_;
  }

 private:
  struct Wake {
    Stream& stream;
    void operator()() const { stream.wake_read(); }
  };
  Exchange& of_;
  Stream& stream_;
  SteadyTime until_, limit_;
  std::string_view what_;
  AbortScope scope_;
  Waking<Wake> waking_;
  IoResult got_{IoStatus::woken, 0, {}};
};

/// A kept connection that its peer had given up, as it turned out. Nothing was answered, so the
/// request may be sent again.
bool Exchange::may_replace() const {
  return connection_ && connection_->reused && !answered_ && !closed_ && !patience_.over();
}

Awaitable<Result<bool>> Exchange::await_head(SteadyTime until) {
  for (;;) {
    if (!connection_ || closed_) co_return broken(ErrorKind::stream_cut, abandoned);
    const auto complete = take_head();
    if (!complete) co_return std::unexpected(complete.error());
    if (*complete) break;
    Result<IoResult> got;
    {
      Reading reading(*this, until, head_limit_, answering);
      while (reading.waits())
        reading.read(co_await reading.readable());
      got = reading.result();
    }
    if (!got) co_return std::unexpected(got.error());
    if (got->status == IoStatus::woken) co_return false;
    if (got->status == IoStatus::ok) {
      if (!answered_) times_.first_byte = last_byte_;
      answered_ = true;
    } else if (may_replace()) {
      UpstreamStats::add(connector_.parts().stats.replaced);
      const AbortScope scope(request_.slot, patience_);
      auto again = co_await connect();
      if (again) again = co_await write();
      if (!again) co_return std::unexpected(again.error());
    } else {
      co_return broken(ErrorKind::upstream_error,
                       answered_ ? "the connection was cut within the answer's head"
                                 : "the connection was closed before an answer",
                       got->error.message());
    }
  }
  const auto judged = judge_head();
  if (!judged) co_return std::unexpected(judged.error());
  co_return true;
}

/// Takes the final head off the buffer, and interim ones before it; false: more bytes are needed.
Result<bool> Exchange::take_head() {
  constexpr std::string_view begins = "HTTP/1.";
  for (;;) {
    const std::string_view unread = connection_->buffer.unread();
    if (!begins.starts_with(unread.substr(0, begins.size()))) {
      return broken(ErrorKind::upstream_error, "its answer is no HTTP/1.1");
    }
    const std::size_t size = wire::head_length(unread, scanned_);
    if ((size == 0 ? unread.size() : size) > head_bytes_max) {
      return broken(ErrorKind::upstream_error, "its answer's head is too large");
    }
    scanned_ = size == 0 ? unread.size() : 0;
    if (size == 0) return false;
    auto head = wire::parse_response_head(unread.substr(0, size));
    connection_->buffer.consume(size);
    if (!head) {
      return broken(ErrorKind::upstream_error, "its answer's head is malformed",
                    head.error().message);
    }
    head_ = std::move(*head);
    if (head_.status >= 200) return true;
    if (head_.status == 101 || ++interim_ > interim_max) {
      return broken(ErrorKind::upstream_error, "it sent interim answers only");
    }
  }
}

Result<void> Exchange::judge_head() {
  // What was answered is not sent again.
  std::string().swap(request_head_);
  std::vector<std::string_view>().swap(parts_);
  body_ = ReplyBody(head_);
  if (head_.status >= 300 && head_.status < 400) {
    auto refused = broken(
        ErrorKind::upstream_error,
        "it answered with status " + std::to_string(head_.status) + "; redirects are not followed");
    refused.error().upstream_status = head_.status;
    refused.error().retry = Retry::other_target;  // it would lead there again
    return refused;
  }
  const std::string_view encoding = head_.header("content-encoding");
  if (Inflater::knows(encoding) && !body_.done()) {
    inflater_ = std::make_unique<Inflater>();
  } else if (!encoding.empty() && !body_.done() && !iequals(encoding, "identity")) {
    return broken(ErrorKind::upstream_error, "its answer is compressed in an unknown way",
                  std::string(encoding));
  }
  if (body_.done()) release();
  return {};
}

Awaitable<Result<routing::ReadStep>> Exchange::read_wire(SteadyTime until) {
  for (;;) {
    auto taken = take_body();
    if (taken) co_return std::move(*taken);
    Reading reading(*this, until, last_byte_ + request_.provider.timeouts.idle, next_piece);
    while (reading.waits())
      reading.read(co_await reading.readable());
    const auto got = reading.result();
    if (!got) co_return std::unexpected(got.error());
    if (got->status == IoStatus::woken) {
      co_return routing::ReadStep{routing::ReadStep::What::timeout, {}, {}};
    }
    const bool ended = got->status == IoStatus::eof && !closed_ && body_.end_of_input();
    if (got->status == IoStatus::ok || ended) continue;
    co_return broken(ErrorKind::stream_cut, "the answer was cut", got->error.message());
  }
}

Awaitable<Result<routing::ReadStep>> Exchange::read_inflated(SteadyTime until) {
  using What = routing::ReadStep::What;
  for (;;) {
    auto plain = inflater_->next();
    if (!plain) co_return broken(ErrorKind::stream_cut, unreadable, plain.error().message);
    if (!plain->bytes.empty()) co_return std::move(*plain);
    auto step = co_await read_wire(until);
    if (!step || step->what == What::timeout) co_return step;
    if (step->what == What::bytes) {
      inflater_->feed(std::move(*step));
    } else if (inflater_->whole()) {
      co_return step;
    } else {
      co_return broken(ErrorKind::stream_cut, unreadable, "it ends too early");
    }
  }
}

/// The next step that needs no waiting, if there is one.
std::optional<Result<routing::ReadStep>> Exchange::take_body() {
  using What = routing::ReadStep::What;
  if (!connection_ || closed_) {
    if (body_.done() && !connection_ && head_.status != 0) return routing::ReadStep{};
    return broken(ErrorKind::stream_cut, abandoned);
  }
  ReadBuffer& buffer = connection_->buffer;
  while (!body_.done()) {
    const auto step = body_.next(buffer.unread());
    if (!step) {
      return broken(ErrorKind::stream_cut, "its answer is malformed", step.error().message);
    }
    buffer.consume(step->consumed);
    if (!step->data.empty()) {
      routing::ReadStep bytes{What::bytes, buffer.block(), step->data};
      buffer.consume(body_.finish_with(buffer.unread()));
      if (body_.done()) release();
      return bytes;
    }
    if (step->consumed == 0 && !step->done) return std::nullopt;
  }
  release();
  return routing::ReadStep{};
}

/// The reply is whole: the connection is free for the next one.
void Exchange::release() {
  patience_.disarm();
  const bool reusable = head_.keep_alive && sent_whole_ && !body_.until_close() &&
                        connection_->buffer.unread().empty() && connection_->stream->is_open();
  const std::unique_ptr<UpstreamConnection> closing = reusable ? nullptr : std::move(connection_);
  if (!reusable) return;
  connection_->buffer.rest();
  pool_.put(std::move(connection_), idle_limit(head_));
}

void Exchange::close() noexcept {
  closed_ = true;
  patience_.end();
  // The connection itself stays: a read may be under way in its stream.
  if (connection_) connection_->stream->close();
}

}  // namespace tollgate::net
