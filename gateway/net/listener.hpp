// Listener: one worker's share of the API port, and the sessions that came in through it. Made by
// the app on the worker's io_context, which must be turned until `idle` before the listener is
// destroyed. Everything but the shared counters on the worker's thread.
#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "gateway/net/bind.hpp"
#include "gateway/net/memory_return.hpp"
#include "gateway/net/session.hpp"

namespace tollgate::net {

/// What the listeners of all workers share. Outlives them; any thread.
struct ServerShared {
  explicit ServerShared(std::uint64_t buffered_bytes_max) : budget(buffered_bytes_max) {}
  std::atomic<std::uint32_t> connections{0};  ///< open ones; never above `limits.connections` for
                                              ///< long: those above are being refused
  BufferBudget budget;
};

class Listener {
 public:
  /// `tls` null: plain HTTP. Nothing happens before `open`.
  Listener(boost::asio::io_context& io, Deadlines& deadlines, Front& front, ServerShared& shared,
           std::shared_ptr<const ServerSettings> settings, const TlsServerContext* tls = nullptr);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Listens at `where` (as `probe` returned it) and begins to accept. Errors: one sentence.
  Result<void> open(const boost::asio::ip::tcp::endpoint& where);
  /// Where it listens: the real port.
  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const;

  /// After a reload: what new connections and new requests go by.
  void apply(std::shared_ptr<const ServerSettings> settings);

  /// The drain begins: takes what waits in the backlog, closes the port and every idle connection;
  /// all others end with their request. `on_idle` is called once when none is left.
  void drain(std::function<void()> on_idle = {});
  /// The drain is over: every request is told to leave with `reason`; all connections close within
  /// seconds.
  void end(const Error& reason);
  /// Whether the port is closed and no session is left.
  [[nodiscard]] bool idle() const;

 private:
  void accept_next();
  void accepted(const boost::system::error_code& error, boost::asio::ip::tcp::socket socket);
  void admit(boost::asio::ip::tcp::socket socket);
  void empty_backlog();
  void pause();
  void when_idle();
  template <class Act>
  void each_session(Act act);

  SessionHost host_;
  const TlsServerContext* tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  bool accepting_ = false;  // an accept is under way, or has its handler waiting
  bool starved_ = false;    // no descriptors: said once, then waited for
  bool ended_ = false;
  std::size_t open_ = 0;  // sessions
  MemoryReturn memory_return_;
  std::function<void()> on_idle_;
};

}  // namespace tollgate::net
