#include "gateway/net/request_body.hpp"

#include <array>

#include "gateway/wire/http_body.hpp"

namespace tollgate::net {
namespace {

std::unexpected<Error> too_large(std::uint64_t limit) {
  return fail(ErrorKind::request_too_large,
              "The request body is larger than " + std::to_string(limit) + " bytes.");
}

std::unexpected<Error> no_memory() {
  return fail(ErrorKind::overloaded, "Too many request bytes are being held; try again shortly.");
}

std::unexpected<Error> gone() {
  return fail(ErrorKind::client_gone, "The client closed the connection.");
}

}  // namespace

Awaitable<Result<std::string_view>> ConnectionBody::read(std::uint64_t limit) {
  if (failure_) co_return std::unexpected(*failure_);
  if (state_ == State::complete) co_return body_;
  state_ = State::reading;
  auto body = co_await receive(limit);
  if (!body) {
    failure_ = body.error();
    co_return std::unexpected(body.error());
  }
  state_ = State::complete;
  body_ = *body;
  co_return body_;
}

std::optional<std::string_view> ConnectionBody::at_hand(std::uint64_t limit) {
  if (failure_ || state_ != State::untouched || head_.framing != Framing::sized) return {};
  const std::uint64_t length = head_.content_length;
  Inbox& inbox = connection_.inbox();
  if (length > limit || !inbox.fits(length) || inbox.unread().size() < length) return {};
  state_ = State::complete;
  body_ = inbox.keep(static_cast<std::size_t>(length));
  return body_;
}

void ConnectionBody::release() noexcept {
  if (state_ != State::complete) return;
  body_ = {};
  connection_.give_back();
}

Awaitable<Result<std::string_view>> ConnectionBody::receive(std::uint64_t limit) {
  const bool chunked = head_.framing == Framing::chunked;
  const std::uint64_t length = head_.framing == Framing::sized ? head_.content_length : 0;
  if (!chunked && length == 0) co_return std::string_view{};
  if (length > limit) co_return too_large(limit);
  Inbox& inbox = connection_.inbox();
  // A client that has begun to send does not wait any more.
  if (head_.expect_continue && inbox.unread().empty()) {
    auto asked = co_await ask_to_continue();
    if (!asked) co_return std::unexpected(asked.error());
  }
  if (chunked) co_return co_await receive_chunked(limit);
  if (inbox.fits(length)) {
    if (inbox.unread().size() >= length) co_return inbox.keep(static_cast<std::size_t>(length));
    co_return co_await receive_beside(length);
  }
  co_return co_await receive_apart(length);
}

Awaitable<Result<void>> ConnectionBody::ask_to_continue() {
  constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  const std::array parts{line};
  if (!co_await connection_.send(parts, idle_)) co_return gone();
  co_return Result<void>{};
}

Awaitable<Result<std::string_view>> ConnectionBody::receive_beside(std::uint64_t length) {
  Inbox& inbox = connection_.inbox();
  while (inbox.unread().size() < length) {
    auto arrived = co_await more();
    if (!arrived) co_return std::unexpected(arrived.error());
  }
  co_return inbox.keep(static_cast<std::size_t>(length));
}

Awaitable<Result<std::string_view>> ConnectionBody::receive_apart(std::uint64_t length) {
  Inbox& inbox = connection_.inbox();
  BodyBuffer& body = connection_.make_body(budget_, length);
  for (;;) {
    const std::string_view here = inbox.unread().substr(0, body.missing());
    if (!body.append(here)) co_return no_memory();
    inbox.consume(here.size());
    if (body.missing() == 0) break;
    if (!body.reserve(1)) co_return no_memory();
    inbox.divert(&body);
    auto arrived = co_await more();
    if (!arrived) co_return std::unexpected(arrived.error());
  }
  inbox.divert(nullptr);
  co_return body.bytes();
}

Awaitable<Result<std::string_view>> ConnectionBody::receive_chunked(std::uint64_t limit) {
  Inbox& inbox = connection_.inbox();
  BodyBuffer& body = connection_.make_body(budget_, limit);
  wire::ChunkedDecoder decoder;
  for (;;) {
    auto step = decoder.next(inbox.unread());
    if (!step) co_return std::unexpected(step.error());
    if (step->data.size() > body.missing()) co_return too_large(limit);
    if (!body.append(step->data)) co_return no_memory();
    inbox.consume(step->consumed);
    if (step->done) co_return body.bytes();
    if (step->consumed > 0) continue;
    auto arrived = co_await more();
    if (!arrived) co_return std::unexpected(arrived.error());
  }
}

Awaitable<Result<void>> ConnectionBody::more() {
  if (failure_) co_return std::unexpected(*failure_);
  if (connection_.input_ended()) co_return gone();
  const bool in_time = co_await connection_.more(coarse_now() + idle_);
  if (!in_time) {
    co_return fail(ErrorKind::request_timeout, "The request body did not arrive in time.");
  }
  co_return Result<void>{};
}

void ConnectionBody::abandon(const Error& reason) {
  if (state_ == State::complete || failure_) return;
  failure_ = reason;
  connection_.interrupt();
}

bool ConnectionBody::settle() {
  if (state_ == State::untouched && skip_buffered()) state_ = State::complete;
  if (!failure_ && state_ != State::complete) {
    failure_ = make_error(ErrorKind::internal, "The request's body was given up.");
  }
  return state_ == State::complete;
}

/// Skips the body when it lies in the inbox already; else changes nothing.
bool ConnectionBody::skip_buffered() {
  Inbox& inbox = connection_.inbox();
  std::string_view rest = inbox.unread();
  if (head_.framing == Framing::none) return true;
  if (head_.framing == Framing::sized) {
    if (rest.size() < head_.content_length) return false;
    inbox.consume(static_cast<std::size_t>(head_.content_length));
    return true;
  }
  wire::ChunkedDecoder decoder;
  for (;;) {
    const auto step = decoder.next(rest);
    if (!step) return false;
    rest.remove_prefix(step->consumed);
    if (step->done) break;
    if (step->consumed == 0) return false;
  }
  inbox.consume(inbox.unread().size() - rest.size());
  return true;
}

}  // namespace tollgate::net
