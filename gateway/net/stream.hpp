// Stream: one connected socket, plain or TLS, the only byte mover of sessions and the upstream
// pool. Reads and writes wait without a timer of their own: `wake` (from a Deadline or an abort)
// ends a wait with `woken` and loses nothing. One thread; the owner keeps it alive while an
// operation runs.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "gateway/core/front.hpp"

namespace tollgate::net {

/// How an operation ended.
enum class IoStatus : std::uint8_t { ok, eof, woken, failed };
struct IoResult {
  IoStatus status = IoStatus::ok;
  std::size_t bytes = 0;
  boost::system::error_code error;
};

class Stream {
 public:
  virtual ~Stream() = default;
  /// Reads at least one byte into `into`. eof: an orderly end (TLS: only after close_notify; else
  /// failed).
  virtual Awaitable<IoResult> read_some(std::span<char> into) = 0;
  /// Writes all parts, in as few system calls as it can. woken: how far it came is in `bytes`; the
  /// stream is then only good to be closed.
  virtual Awaitable<IoResult> write_all(std::span<const std::string_view> parts) = 0;
  /// Ends the wait of a pending read (or write) with `woken`. Reaches only waits under way.
  virtual void wake_read() noexcept = 0;
  virtual void wake_write() noexcept = 0;
  /// Says that we send no more (TLS: close_notify, then FIN).
  virtual void shutdown_send() noexcept = 0;
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
  [[nodiscard]] virtual boost::asio::ip::tcp::socket& socket() = 0;
};

/// A stream over a connected socket.
[[nodiscard]] std::unique_ptr<Stream> plain_stream(boost::asio::ip::tcp::socket socket);

}  // namespace tollgate::net
