#include "server_fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

namespace tollgate::net::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::size_t length_of(const std::string& head) {
  const auto at = head.find("content-length: ");
  return at == head.npos ? 0 : std::stoul(head.substr(at + 16));
}

}  // namespace

std::shared_ptr<ServedRequest> ScriptedFront::open(const RequestHead& head, const Peer& peer) {
  auto request = std::make_shared<Served>();
  request->method = head.method;
  request->path = head.path;
  request->peer = peer.address;
  request->tls = peer.tls;
  opened.push_back(request);
  opening.notify();
  return request;
}

Awaitable<void> ScriptedFront::until_opened(std::size_t count) {
  while (opened.size() < count)
    co_await opening.wait();
}

Awaitable<void> ScriptedFront::serve(std::shared_ptr<ServedRequest> request, RequestBody& body,
                                     ReplyWriter& writer) {
  auto& served = static_cast<Served&>(*request);
  const auto script = scripts.find(served.path);
  if (script != scripts.end()) {
    co_await script->second(served, body, writer);
  } else {
    co_await echo(served, body, writer);
  }
}

void ScriptedFront::render_early(const Error& error, ReplyHead& head, Pieces& body) {
  early.push_back(error.kind);
  head.status = error.status;
  if (error.retry_after) head.add("retry-after", "1");
  body.own(error.code + ": " + error.message);
}

Awaitable<void> ScriptedFront::echo(Served& request, RequestBody& body, ReplyWriter& writer) {
  auto bytes = body.at_hand(body_limit);
  if (!bytes) {
    const auto read = co_await body.read(body_limit);
    if (!read) co_return co_await refuse(read.error(), writer);
    bytes = *read;
  }
  ReplyHead head;
  head.add("content-type", "text/plain");
  Pieces out;
  out.own(request.method + " " + request.path + " ");
  out.view(*bytes);
  co_await writer.whole(head, out);
}

Awaitable<void> ScriptedFront::refuse(Error error, ReplyWriter& writer) {
  ReplyHead head;
  head.status = error.status;
  Pieces out;
  out.own(error.code + ": " + error.message);
  co_await writer.whole(head, out);
}

Awaitable<void> Client::connect(tcp::endpoint to) {
  const auto [failed] = co_await socket_.async_connect(to, as_task);
  REQUIRE_FALSE(failed);
  socket_.set_option(tcp::no_delay(true));  // else a request in two pieces waits for an ACK
}

Awaitable<void> Client::send(std::string_view bytes) {
  co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), as_task);
}

Awaitable<bool> Client::fill() {
  char block[4096];
  auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(block), as_task);
  ended_ = error;
  buffer_.append(block, bytes);
  co_return !error;
}

Awaitable<Reply> Client::reply(bool to_head) {
  Reply reply;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == buffer_.npos) {
    if (!co_await fill()) co_return reply;
  }
  reply.head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  reply.status = std::stoi(reply.head.substr(9, 3));
  if (to_head) co_return reply;
  if (reply.has("transfer-encoding: chunked")) {
    for (;;) {
      while (buffer_.find("\r\n") == buffer_.npos) {
        if (!co_await fill()) co_return reply;
      }
      const std::size_t size = std::stoul(buffer_, nullptr, 16);
      const std::size_t line = buffer_.find("\r\n") + 2;
      while (buffer_.size() < line + size + 2) {
        if (!co_await fill()) co_return reply;
      }
      reply.body += buffer_.substr(line, size);
      buffer_.erase(0, line + size + 2);
      if (size == 0) co_return reply;
    }
  }
  const std::size_t length = length_of(reply.head);
  while (buffer_.size() < length) {
    if (!co_await fill()) break;
  }
  reply.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  co_return reply;
}

Awaitable<std::string> Client::rest() {
  while (co_await fill()) {
  }
  co_return std::exchange(buffer_, {});
}

Awaitable<bool> Client::closed_orderly() {
  co_await rest();
  co_return ended_ == asio::error::eof;
}

Server::Server(ServerSettings settings, const TlsServerContext* tls,
               std::uint64_t buffered_bytes_max)
    : shared(buffered_bytes_max),
      listener(io, deadlines, front, shared,
               std::make_shared<const ServerSettings>(std::move(settings)), tls) {
  auto where = probe({"127.0.0.1", 0});
  REQUIRE(where.has_value());
  REQUIRE(listener.open(*where).has_value());
  endpoint_ = listener.endpoint();
}

void Server::play(Test test) {
  std::exception_ptr failed;
  bool hung = false;
  asio::steady_timer guard(io, std::chrono::seconds(20));
  guard.async_wait([&](const boost::system::error_code& stopped) {
    hung = !stopped;
    if (hung) io.stop();
  });
  spawn(io, test(), [&](std::exception_ptr error) {
    failed = std::move(error);
    listener.drain([&] {
      deadlines.stop();
      guard.cancel();
    });
    listener.end(make_error(ErrorKind::draining, "The test is over."));
  });
  io.run();
  if (failed) std::rethrow_exception(failed);
  REQUIRE_FALSE(hung);
  CHECK(listener.idle());
  CHECK(shared.connections == 0);
  CHECK(shared.budget.used() == 0);
}

Awaitable<void> Server::settle() {
  for (int i = 0; i < 20; ++i)
    co_await asio::post(io, as_task);
}

std::string post(std::string_view path, std::string_view body, std::string_view more_headers) {
  std::string text = "POST " + std::string(path) + " HTTP/1.1\r\nhost: test\r\n";
  text += more_headers;
  text += "content-length: " + std::to_string(body.size()) + "\r\n\r\n";
  return text.append(body);
}

std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nhost: test\r\n\r\n";
}

}  // namespace tollgate::net::test
