// A real listener on a free port of loopback, in front of a scripted application, and the client
// that talks to it: all in one io_context, on one thread. A test is one coroutine given to `play`.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <map>

#include "gateway/net/asio_task.hpp"
#include "gateway/net/listener.hpp"

namespace tollgate::net::test {

/// One request as the scripted application sees it.
struct Served final : ServedRequest {
  std::string method, path, peer;
  bool tls = false;
  std::optional<Error> left;  ///< why it was told to leave
  Signal leaving;
  void leave(Error reason) noexcept override {
    left = std::move(reason);
    leaving.notify();
  }
};

/// Answers by path; what has no script of its own is echoed.
struct ScriptedFront final : Front {
  using Script = std::function<Awaitable<void>(Served&, RequestBody&, ReplyWriter&)>;
  std::map<std::string, Script> scripts;
  std::vector<std::shared_ptr<Served>> opened;
  std::vector<ErrorKind> early;
  std::uint64_t body_limit = 64U << 20U;
  Signal opening;  ///< notified at each open
  /// Waits until this many requests have been opened in all.
  Awaitable<void> until_opened(std::size_t count);

  std::shared_ptr<ServedRequest> open(const RequestHead& head, const Peer& peer) override;
  Awaitable<void> serve(std::shared_ptr<ServedRequest> request, RequestBody& body,
                        ReplyWriter& writer) override;
  void render_early(const Error& error, ReplyHead& head, Pieces& body) override;
  Awaitable<void> echo(Served& request, RequestBody& body, ReplyWriter& writer);
  /// Answers `error` as the application would.
  Awaitable<void> refuse(Error error, ReplyWriter& writer);
};

struct Reply {
  int status = 0;
  std::string head;  ///< as it came
  std::string body;  ///< framing taken off
  [[nodiscard]] bool has(std::string_view line) const { return head.find(line) != head.npos; }
};

class Client {
 public:
  explicit Client(boost::asio::io_context& io) : socket_(io) {}
  Awaitable<void> connect(boost::asio::ip::tcp::endpoint to);
  Awaitable<void> send(std::string_view bytes);
  /// The next reply; status 0: the connection ended before its head was complete.
  Awaitable<Reply> reply(bool to_head = false);
  /// Everything until the server ends the connection.
  Awaitable<std::string> rest();
  /// Waits until the server has ended the connection; whether by an orderly FIN.
  Awaitable<bool> closed_orderly();
  boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  Awaitable<bool> fill();  // one more read; false: ended
  boost::asio::ip::tcp::socket socket_;
  std::string buffer_;
  boost::system::error_code ended_;
};

class Server {
 public:
  using Test = std::function<Awaitable<void>()>;
  explicit Server(ServerSettings settings = {}, const TlsServerContext* tls = nullptr,
                  std::uint64_t buffered_bytes_max = 256U << 20U);
  /// Runs `test` to its end, then ends all sessions. Fails when that takes 20 s.
  void play(Test test);
  Client client() { return Client(io); }
  boost::asio::ip::tcp::endpoint endpoint() { return endpoint_; }
  /// Lets everything run that is ready.
  Awaitable<void> settle();

  boost::asio::io_context io{1};
  Deadlines deadlines{io};
  ScriptedFront front;
  ServerShared shared;
  Listener listener;

 private:
  boost::asio::ip::tcp::endpoint endpoint_;
};

/// A completion for what nobody waits for.
inline constexpr auto ignore = [](const std::exception_ptr&) {};

/// A POST of `body` to `path`.
[[nodiscard]] std::string post(std::string_view path, std::string_view body,
                               std::string_view more_headers = {});
[[nodiscard]] std::string get(std::string_view path);

}  // namespace tollgate::net::test
