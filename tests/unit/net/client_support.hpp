// What the tests of the client side share: a worker's upstreams on an event loop of their own, and
// scripted TCP servers on loopback. Everything runs on the test's thread.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/net/asio_task.hpp"
#include "gateway/net/upstreams.hpp"

namespace tollgate::net::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// Names as a test wants them; an unknown one is never answered.
struct FakeNames final : DnsSource {
  void ask(const std::string& host, std::function<void(DnsAnswer)> done) override {
    ++asked[host];
    if (const auto found = answers.find(host); found != answers.end()) return done(found->second);
    pending.push_back(std::move(done));
  }
  std::map<std::string, DnsAnswer> answers;
  std::map<std::string, int> asked;
  std::vector<std::function<void(DnsAnswer)>> pending;
};

/// One worker's client side.
struct Client {
  explicit Client(UpstreamShared* shared = nullptr);

  /// Runs `work` to its end; fails the test when that takes too long.
  void run(Awaitable<void> work);
  [[nodiscard]] const UpstreamStats& stats() const { return upstreams->stats(); }

  asio::io_context io{1};
  Deadlines deadlines{io};
  UpstreamShared own_shared;
  FakeNames* names = nullptr;  // owned by the resolver
  std::unique_ptr<Upstreams> upstreams;
};

/// The loop of the client that runs.
[[nodiscard]] asio::io_context& test_loop();

/// What became of one exchange.
struct Seen {
  std::optional<Error> error;
  int status = 0;
  std::string body;
  int timeouts = 0;
  bool reused = false;
};

/// How a test sends.
struct Ask {
  std::string body = "{}";
  std::string path = "/v1/x";
  HeaderList headers = {};
  bool stream = false;
  SteadyTime deadline = never;
  std::chrono::milliseconds patience = 0ms;  ///< of one read; 0: for ever
};

[[nodiscard]] routing::ProviderEntry provider_at(std::uint16_t port, bool tls = false,
                                                 std::string host = "127.0.0.1");

/// Sends and reads the whole reply.
Awaitable<Seen> exchange(Client& client, const routing::ProviderEntry& provider, Ask ask,
                         AbortSlot& slot);
Awaitable<Seen> exchange(Client& client, const routing::ProviderEntry& provider, Ask ask = {});
/// The same from start to end of its own run.
Seen ask(Client& client, const routing::ProviderEntry& provider, Ask how = {});

/// Server side of one accepted connection.
struct Talk {
  std::unique_ptr<Stream> stream;
  int number = 0;  ///< which connection of the server this is, from 1
  std::string buffer;

  /// One whole sized request; empty when the client has closed.
  Awaitable<std::string> request();
  Awaitable<void> say(std::string text);
  /// Waits until the client has closed or reset.
  Awaitable<void> wait_closed();
  void reset();  ///< ends the connection with RST
};

/// Accepts on a free loopback port and lets `script` talk on every connection.
class Server {
 public:
  using Script = std::function<Awaitable<void>(Talk&)>;
  Server(asio::io_context& io, Script script, SslContext tls = {});
  ~Server();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int accepted() const { return state_->accepted; }
  [[nodiscard]] int ended() const { return state_->ended; }  ///< scripts that have returned

 private:
  struct State {
    explicit State(asio::io_context& context) : io(context), acceptor(context) {}
    asio::io_context& io;
    tcp::acceptor acceptor;
    Script script;
    SslContext tls;
    int accepted = 0, ended = 0;
  };
  static Awaitable<void> accept(std::shared_ptr<State> state);
  static Awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket, int number);
  std::shared_ptr<State> state_;
  std::uint16_t port_ = 0;
};

/// A completion for what nobody waits for.
inline constexpr auto ignore = [](const std::exception_ptr&) {};

/// A sized reply.
[[nodiscard]] std::string sized(std::string_view body, std::string_view more_headers = {},
                                std::string_view status = "200 OK");

/// Lets the loop turn until `condition` holds; false after five seconds.
Awaitable<bool> until(std::function<bool()> condition);

}  // namespace tollgate::net::test
