#include "gateway/net/session.hpp"

#include <algorithm>
#include <cctype>
#include <spdlog/spdlog.h>

#include "gateway/net/asio_task.hpp"
#include "gateway/wire/http_head.hpp"

namespace tollgate::net {
namespace {

using std::chrono::milliseconds;

// Who is refused for lack of room does not get the time of a guest.
constexpr milliseconds refusal_time{1000};

void log_bug(std::exception_ptr failed) {
  try {
    std::rethrow_exception(std::move(failed));
  } catch (const std::exception& bug) {
    spdlog::error("a connection ended by an exception: {}", bug.what());
  }
}

std::string address_text(const boost::asio::ip::tcp::endpoint& peer) {
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
        .to_string();
  }
  return address.to_string();
}

bool is_loopback(const boost::asio::ip::tcp::endpoint& peer) {
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
        .is_loopback();
  }
  return address.is_loopback();
}

/// Bytes of the empty lines that some clients send behind a body.
std::size_t blank_lines(std::string_view bytes) {
  std::size_t length = 0;
  while (bytes.substr(length, 2) == "\r\n")
    length += 2;
  return length;
}

std::unexpected<Error> head_too_large(std::uint64_t limit) {
  return fail(ErrorKind::headers_too_large,
              "The request head is larger than " + std::to_string(limit) + " bytes.");
}

}  // namespace

void Session::start(SessionHost& host, Arrival arrival) {
  auto session = std::make_shared<Session>(host, std::move(arrival));
  host.sessions.push_back(*session);
  spawn(host.io, session->run(), [session](std::exception_ptr failed) {
    if (failed) log_bug(std::move(failed));
    session->connection_.close();
  });
}

Session::Sockets Session::open(Arrival& arrival) {
  if (!arrival.tls) return {plain_stream(std::move(arrival.socket)), nullptr};
  auto stream =
      tls_server_stream(std::make_unique<Descriptor>(std::move(arrival.socket)), arrival.tls);
  TlsStream* tls = stream.get();
  return {std::move(stream), tls};
}

Session::Session(SessionHost& host, Arrival arrival) : Session(host, arrival, open(arrival)) {}

Session::Session(SessionHost& host, Arrival& arrival, Sockets sockets)
    : host_(host),
      address_(address_text(arrival.peer)),
      peer_{address_, is_loopback(arrival.peer), sockets.tls != nullptr},
      refusal_(std::move(arrival.refusal)),
      settings_(host.settings),
      header_bytes_max_(settings_->limits.header_bytes.count),
      tls_(sockets.tls),
      connection_(host.io, host.deadlines, *this, std::move(sockets.stream), header_bytes_max_) {}

Session::~Session() {
  host_.connections.fetch_sub(1, std::memory_order_relaxed);
  unlink();
  if (host_.session_ended) host_.session_ended();
}

Awaitable<void> Session::run() {
  const milliseconds patience = settings_->timeouts.header;
  const milliseconds for_tls = refusal_ ? std::min(patience, refusal_time) : patience;
  if (tls_ != nullptr && !co_await connection_.handshake(*tls_, for_tls)) co_return;
  connection_.start(shared_from_this());
  Next next = Next::request;
  while (next == Next::request)
    next = co_await next_request();
  if (next == Next::reset) co_return connection_.reset();
  co_await connection_.finish(next == Next::linger);
}

Awaitable<Session::Next> Session::next_request() {
  auto got = co_await read_head();
  if (!got) co_return co_await refuse(got.error());
  if (!*got) co_return Next::close;
  if (refusal_) co_return co_await refuse(*refusal_);
  co_return co_await serve();
}

/// True: `head_` is there. False: nobody asks anything any more. An error: it is to be answered.
Awaitable<Result<bool>> Session::read_head() {
  Inbox& inbox = connection_.inbox();
  SteadyTime until{};
  std::size_t scanned = 0;
  idle_ = false;
  for (;;) {
    if (scanned == 0) inbox.consume(blank_lines(inbox.unread()));
    const std::string_view bytes = inbox.unread();
    if (connection_.input_ended() || ending_) co_return false;
    if (!bytes.empty()) {
      const std::size_t length = wire::head_length(bytes, scanned);
      if (length > 0) co_return parse_head(length);
      // A TLS hello or other noise need not wait for its deadline.
      if (std::isupper(static_cast<unsigned char>(bytes.front())) == 0) {
        co_return fail(ErrorKind::invalid_request, "This is no HTTP request.");
      }
      if (bytes.size() > header_bytes_max_) co_return head_too_large(header_bytes_max_);
    } else if (host_.draining && !fresh_) {
      co_return false;
    }
    // The time for a head is counted once from its first byte, however slowly the rest comes.
    if (scanned == 0) until = head_deadline(!bytes.empty());
    scanned = bytes.size();
    idle_ = bytes.empty() && !fresh_;
    const bool in_time = co_await connection_.more(until);
    idle_ = false;
    if (in_time) continue;
    if (inbox.unread().empty()) co_return false;
    co_return fail(ErrorKind::request_timeout, "The request head did not arrive in time.");
  }
}

SteadyTime Session::head_deadline(bool begun) const {
  const SteadyTime now = coarse_now();
  const config::ListenTimeouts& timeouts = settings_->timeouts;
  if (refusal_) return now + std::min(timeouts.header, refusal_time);
  return now + (begun || fresh_ ? timeouts.header : timeouts.keep_alive);
}

Result<bool> Session::parse_head(std::size_t length) {
  if (length > header_bytes_max_) return head_too_large(header_bytes_max_);
  auto parsed = wire::parse_request_head(connection_.inbox().keep(length), head_);
  if (!parsed) return std::unexpected(parsed.error());
  return true;
}

/// For the length of one request: who is told when the client hangs up, or the drain ends.
class Session::Serving {
 public:
  Serving(Session& session, ConnectionBody& body) : session_(session) {
    session_.body_ = &body;
    session_.request_ = session_.host_.front.open(session_.head_, session_.peer_);
    session_.connection_.keep_reading();
  }
  ~Serving() {
    session_.request_.reset();
    session_.body_ = nullptr;
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  Session& session_;
};

Awaitable<Session::Next> Session::serve() {
  settings_ = host_.settings;
  fresh_ = false;
  const auto& timeouts = settings_->timeouts;
  ConnectionBody body(connection_, head_, host_.budget, timeouts.body_idle);
  const ReplyTo to{head_.minor_version, head_.method == "HEAD", head_.keep_alive};
  ConnectionReply reply(connection_, host_.date, *this, scratch_, to, timeouts.write_idle);
  {
    const Serving serving(*this, body);
    co_await host_.front.serve(request_, body, reply);
  }
  if (reply.kept()) {
    connection_.release();
    co_return Next::request;
  }
  // Bytes that nobody reads turn our close into a reset, which destroys the answer.
  const bool unread = body.incomplete() || !connection_.inbox().unread().empty();
  if (reply.cut_short()) co_return Next::reset;
  co_return reply.started() && unread ? Next::linger : Next::close;
}

Awaitable<Session::Next> Session::refuse(const Error& error) {
  ReplyHead head;
  Pieces body;
  host_.front.render_early(error, head, body);
  ConnectionReply reply(connection_, host_.date, *this, scratch_, ReplyTo{},
                        settings_->timeouts.write_idle);
  co_await reply.whole(head, body);
  co_return Next::linger;
}

void Session::hung_up() noexcept {
  if (request_) request_->leave(make_error(ErrorKind::client_gone, "The client hung up."));
}

bool Session::may_keep() {
  const bool settled = body_ != nullptr && body_->settle();
  return settled && !host_.draining && !ending_;
}

void Session::drain() {
  if (idle_) connection_.close();
}

void Session::end(const Error& reason) {
  if (ending_) return;
  ending_ = reason;
  connection_.hurry();
  if (!request_) return connection_.close();
  const auto request = request_;  // leaving may end it
  request->leave(reason);
  if (body_ != nullptr) body_->abandon(reason);
}

}  // namespace tollgate::net
