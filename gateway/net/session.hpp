// Session: one client connection from accept to close: handshake, heads, one request after the
// other through Front, keep-alive and the orderly end. SessionHost is what the sessions of one
// worker share; it outlives them. The worker's thread.
#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "gateway/core/buffer_budget.hpp"
#include "gateway/core/front.hpp"
#include "gateway/core/rare.hpp"
#include "gateway/net/client_connection.hpp"
#include "gateway/net/reply_head.hpp"
#include "gateway/net/reply_writer.hpp"
#include "gateway/net/request_body.hpp"

namespace tollgate::net {

/// What a reload may change about connections; a running request keeps what it began with.
struct ServerSettings {
  config::ListenLimits limits;
  config::ListenTimeouts timeouts;
  bool tls = true;  ///< false: plain, even where the listener has a TLS context
};

class Session;
using SessionHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

struct SessionHost {
  boost::asio::io_context& io;
  Front& front;
  Deadlines& deadlines;
  BufferBudget& budget;
  std::atomic<std::uint32_t>& connections;  ///< open ones, over all workers
  std::shared_ptr<const ServerSettings> settings;
  DateLine date;
  bool draining = false;  ///< every reply ends its connection
  boost::intrusive::list<Session, boost::intrusive::base_hook<SessionHook>,
                         boost::intrusive::constant_time_size<false>>
      sessions;
  std::function<void()> session_ended;  ///< called after each, when it has left the list
};

class Session final : public std::enable_shared_from_this<Session>,
                      public SessionHook,
                      private HangUpWatcher,
                      private KeepAliveRule {
 public:
  struct Arrival {
    boost::asio::ip::tcp::socket socket;
    boost::asio::ip::tcp::endpoint peer;
    SslContext tls;       ///< empty: plain
    Rare<Error> refusal;  ///< answers the first request with this and closes
  };
  /// Begins to serve; the session owns itself until the connection has ended. Its place in
  /// `host.connections` must have been taken, and is given back.
  static void start(SessionHost& host, Arrival arrival);

  Session(SessionHost& host, Arrival arrival);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// The drain begins: an idle connection is closed, any other after its request.
  void drain();
  /// The drain is over: a request is told to leave with `reason`, anything else is closed.
  void end(const Error& reason);

 private:
  enum class Next : std::uint8_t { request, close, linger, reset };
  struct Sockets {  // the stream, and its TLS side where it has one
    std::unique_ptr<Stream> stream;
    TlsStream* tls = nullptr;
  };
  class Serving;
  static Sockets open(Arrival& arrival);
  Session(SessionHost& host, Arrival& arrival, Sockets sockets);

  Awaitable<void> run();
  Awaitable<Next> next_request();
  Awaitable<Result<bool>> read_head();
  Result<bool> parse_head(std::size_t length);
  [[nodiscard]] SteadyTime head_deadline(bool begun) const;
  Awaitable<Next> serve();
  [[gnu::noinline]] Awaitable<Next> refuse(const Error& error);  // else a part of every frame
  void hung_up() noexcept override;
  bool may_keep() override;

  SessionHost& host_;
  std::string address_;
  Peer peer_;
  Rare<Error> refusal_;
  std::shared_ptr<const ServerSettings> settings_;
  std::uint64_t header_bytes_max_;  // for good: the inbox was made for it
  TlsStream* tls_;
  ClientConnection connection_;
  ReplyScratch scratch_;
  RequestHead head_;
  std::shared_ptr<ServedRequest> request_;
  ConnectionBody* body_ = nullptr;  // of the request that is being served
  Rare<Error> ending_;
  bool fresh_ = true, idle_ = false;
};

}  // namespace tollgate::net
