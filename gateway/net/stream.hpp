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
#include "gateway/net/descriptor.hpp"

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
  explicit Stream(std::unique_ptr<Descriptor> descriptor) : descriptor_(std::move(descriptor)) {}
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Waits until a read may bring something, so that who waits long needs no memory for it
  /// meanwhile. ok: call `read_now`.
  virtual Awaitable<IoResult> readable() = 0;
  /// Reads at least one byte into `into` without waiting. woken: nothing is there. eof: an orderly
  /// end (TLS: only after close_notify; else failed).
  [[nodiscard]] virtual IoResult read_now(std::span<char> into) = 0;
  /// Both, until something was read, where the buffer is there anyway.
  Awaitable<IoResult> read_some(std::span<char> into);
  /// Writes all parts, in as few system calls as it can. woken: how far it came is in `bytes`; the
  /// stream is then only good to be closed.
  virtual Awaitable<IoResult> write_all(std::span<const std::string_view> parts) = 0;
  /// Says that we send no more (TLS: close_notify, then FIN).
  virtual void shutdown_send() noexcept = 0;
  /// Writes what goes without waiting; how many bytes that was. An error is write_all's to meet.
  [[nodiscard]] virtual std::size_t write_now(std::span<const std::string_view>) { return 0; }

  /// Ends the wait of a pending read (or write) with `woken`. Reaches only waits under way.
  void wake_read() noexcept { descriptor_->reader().wake(); }
  void wake_write() noexcept { descriptor_->writer().wake(); }
  void close() noexcept { descriptor_->close(); }
  /// Closes with a reset: the peer cannot take what it has for all there was.
  void reset() noexcept;
  [[nodiscard]] bool is_open() const { return descriptor_->is_open(); }

  /// While nobody reads: begins to look out for what nobody asked for, where that costs nothing.
  void watch_silence();
  /// Whether nothing has come since: no byte, no end, no error. `sure`: asks the kernel, which also
  /// knows what this turn of the loop has not brought yet.
  [[nodiscard]] bool is_silent(bool sure);

  [[nodiscard]] Descriptor& descriptor() { return *descriptor_; }
  /// The socket for another stream; this one is of no use any more.
  [[nodiscard]] std::unique_ptr<Descriptor> release() { return std::move(descriptor_); }

 protected:
  /// The result of a wait that ended without readiness.
  [[nodiscard]] IoResult not_ready(std::size_t bytes = 0) const;
  void shut_sending() noexcept;
  /// Now and then: a peer that sends as fast as we read must not keep the loop from everybody else.
  [[nodiscard]] bool others_turn() { return ++reads_in_a_row_ % reads_in_a_row_max == 0; }

 private:
  static constexpr unsigned reads_in_a_row_max = 16;

  std::unique_ptr<Descriptor> descriptor_;
  unsigned reads_in_a_row_ = 0;
};

/// A stream over a connected socket.
[[nodiscard]] std::unique_ptr<Stream> plain_stream(boost::asio::ip::tcp::socket socket);

}  // namespace tollgate::net
