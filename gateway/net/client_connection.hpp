// ClientConnection: one client's socket with its read buffer and its one deadline. One read stands
// armed all the time (in `pull`), so that a hang-up is seen while a request is being served; what
// it brings is waited for with `more`. Owned by a Session; its worker's thread.
#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gateway/core/signal.hpp"
#include "gateway/net/body_buffer.hpp"
#include "gateway/net/deadlines.hpp"
#include "gateway/net/inbox.hpp"
#include "gateway/net/stream.hpp"
#include "gateway/net/tls.hpp"

namespace tollgate::net {

/// Told at once when the client has hung up.
struct HangUpWatcher {
  virtual void hung_up() noexcept = 0;

 protected:
  ~HangUpWatcher() = default;
};

class ClientConnection final : private Deadline {
 public:
  ClientConnection(boost::asio::io_context& io, Deadlines& deadlines, HangUpWatcher& watcher,
                   std::unique_ptr<Stream> stream, std::size_t header_bytes_max);

  /// Shakes hands within `limit`; false: close it. Before `start`.
  Awaitable<bool> handshake(TlsStream& stream, std::chrono::milliseconds limit);
  /// Begins to read. `owner` is held until reading has ended, which `close` brings about.
  void start(std::shared_ptr<void> owner);

  [[nodiscard]] Inbox& inbox() { return inbox_; }
  /// The memory for a body that does not fit beside its head; kept until `release`.
  BodyBuffer& make_body(BufferBudget& budget, std::uint64_t expected);
  /// The request is over: its bytes are not looked at any more.
  void release();
  /// The same for a request whose reply goes on for long: its memory goes, too.
  void give_back();
  /// Goes on reading where it stopped for want of room, if there is some now.
  void keep_reading() { room_.notify(); }

  /// Waits until something changed: bytes came, input ended, `interrupt`. False: `until` passed.
  Awaitable<bool> more(SteadyTime until);
  void interrupt();
  /// Nothing more will come: the client hung up, or we closed.
  [[nodiscard]] bool input_ended() const { return input_ended_ || closed_; }

  /// Writes all of `parts`, for as long as the client takes some of it every `idle`. False: it is
  /// gone, or too slow.
  Awaitable<bool> send(std::span<const std::string_view> parts, std::chrono::milliseconds idle);
  /// Writes what goes without waiting, and takes it off `parts`. True: that was all.
  [[nodiscard]] bool send_now(std::vector<std::string_view>& parts);
  /// From now on a write has two seconds, whatever its idle limit.
  void hurry();

  /// Ends sending in order. With `linger` what the client still sends is read and dropped for a
  /// while, since a reset would destroy the last answer. Then closes.
  Awaitable<void> finish(bool linger);
  void close();
  /// Closes so that the client cannot take what it has for all there was.
  void reset();

 private:
  enum class Busy : std::uint8_t { no, handshake, write };

  Awaitable<void> pull();
  Awaitable<bool> send_slice(std::span<const std::string_view> parts,
                             std::chrono::milliseconds idle);
  Awaitable<bool> send_slices(std::span<const std::string_view> parts,
                              std::chrono::milliseconds idle);
  void end_input();
  void expired() override;

  boost::asio::io_context& io_;
  HangUpWatcher& watcher_;
  std::unique_ptr<Stream> stream_;
  Inbox inbox_;
  std::unique_ptr<BodyBuffer> body_;
  std::weak_ptr<void> owner_;
  Signal arrived_;  // for who serves: something changed
  Signal room_;     // for who reads: there may be room again
  Busy busy_ = Busy::no;
  bool changed_ = false, late_ = false;
  bool input_ended_ = false, closed_ = false, broken_ = false, hurried_ = false;
};

}  // namespace tollgate::net
