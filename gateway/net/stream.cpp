#include "gateway/net/stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace tollgate::net {
namespace {

using boost::asio::ip::tcp;
using Direction = Descriptor::Direction;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

IoResult failure(int error, std::size_t bytes = 0) {
  return {IoStatus::failed, bytes, {error, boost::system::system_category()}};
}

/// Where a write of many parts stands.
class Cursor {
 public:
  explicit Cursor(std::span<const std::string_view> parts) : parts_(parts) { skip_empty(); }
  [[nodiscard]] bool done() const { return part_ == parts_.size(); }
  void advance(std::size_t bytes) {
    while (bytes > 0) {
      const std::size_t step = std::min(bytes, parts_[part_].size() - offset_);
      bytes -= step;
      offset_ += step;
      skip_empty();
    }
  }
  /// Fills `into` with what is still to be written; returns how many entries.
  std::size_t fill(std::span<iovec> into) const {
    std::size_t count = 0;
    std::size_t offset = offset_;
    for (std::size_t i = part_; i < parts_.size() && count < into.size(); ++i, offset = 0) {
      const std::string_view rest = parts_[i].substr(offset);
      // sendmsg only reads: the const of iov_base was lost in 1983.
      if (!rest.empty()) into[count++] = {const_cast<char*>(rest.data()), rest.size()};
    }
    return count;
  }

 private:
  void skip_empty() {
    while (part_ < parts_.size() && offset_ == parts_[part_].size()) {
      ++part_;
      offset_ = 0;
    }
  }
  std::span<const std::string_view> parts_;
  std::size_t part_ = 0, offset_ = 0;
};

/// One read, along with what it left behind in the socket.
struct Receipt {
  ssize_t bytes;
  bool drained;  // nothing is left, and no end of the stream either
};

/// The kernel says with the bytes how many it still has (one after a FIN), so that no second read
/// is needed to learn that there is nothing.
Receipt receive(int fd, std::span<char> into) {
  iovec part{into.data(), into.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t bytes = ::recvmsg(fd, &message, 0);
  if (bytes <= 0) return {bytes, bytes < 0 && would_block(errno)};
  const cmsghdr* const left = CMSG_FIRSTHDR(&message);
  if (left == nullptr || left->cmsg_level != SOL_TCP || left->cmsg_type != TCP_CM_INQ) {
    return {bytes, false};
  }
  int rest = 0;
  std::memcpy(&rest, CMSG_DATA(left), sizeof(rest));
  return {bytes, rest == 0};
}

bool nothing_there(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && would_block(errno);
}

class PlainStream final : public Stream {
 public:
  explicit PlainStream(tcp::socket socket)
      : Stream(std::make_unique<Descriptor>(std::move(socket))) {
    const int on = 1;
    ::setsockopt(descriptor().fd(), IPPROTO_TCP, TCP_INQ, &on, sizeof(on));
  }

  Awaitable<IoResult> readable() override {
    Descriptor::Party& reader = descriptor().reader();
    // Of a new connection nothing is known; nobody is to wait with a buffer in hand for that.
    if (std::exchange(fresh_, false)) reader.note_drained(nothing_there(descriptor().fd()));
    if (!reader.drained() && others_turn() && !co_await reader.turn()) co_return not_ready();
    while (reader.drained()) {
      if (!co_await reader.ready(Direction::read)) co_return not_ready();
      if (reader.guessed()) reader.note_drained(nothing_there(descriptor().fd()));
    }
    co_return IoResult{};
  }

  IoResult read_now(std::span<char> into) override {
    if (!is_open()) return not_ready();
    const Receipt got = receive(descriptor().fd(), into);
    descriptor().reader().note_drained(got.drained);
    if (got.bytes > 0) return {IoStatus::ok, static_cast<std::size_t>(got.bytes), {}};
    if (got.bytes == 0) return {IoStatus::eof, 0, {}};
    return got.drained || errno == EINTR ? not_ready() : failure(errno);
  }

  Awaitable<IoResult> write_all(std::span<const std::string_view> parts) override {
    Cursor cursor(parts);
    std::size_t written = 0;
    while (!cursor.done()) {
      if (!is_open()) co_return not_ready(written);
      const ssize_t n = send_some(cursor);
      if (n >= 0) {
        written += static_cast<std::size_t>(n);
        cursor.advance(static_cast<std::size_t>(n));
      } else if (would_block(errno)) {
        if (!co_await descriptor().writer().ready(Direction::write)) co_return not_ready(written);
      } else if (errno != EINTR) {
        co_return failure(errno, written);
      }
    }
    co_return IoResult{IoStatus::ok, written, {}};
  }

  std::size_t write_now(std::span<const std::string_view> parts) override {
    if (!is_open()) return 0;
    const ssize_t n = send_some(Cursor(parts));
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

  void shutdown_send() noexcept override { shut_sending(); }

 private:
  ssize_t send_some(const Cursor& cursor) {
    std::array<iovec, 64> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = cursor.fill(parts);
    return ::sendmsg(descriptor().fd(), &message, MSG_NOSIGNAL);
  }

  bool fresh_ = true;
};

}  // namespace

Awaitable<IoResult> Stream::read_some(std::span<char> into) {
  for (;;) {
    const IoResult ready = co_await readable();
    if (ready.status != IoStatus::ok) co_return ready;
    const IoResult got = read_now(into);
    if (got.status != IoStatus::woken) co_return got;
  }
}

void Stream::reset() noexcept {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_->fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close();
}

void Stream::shut_sending() noexcept {
  if (is_open()) ::shutdown(descriptor_->fd(), SHUT_WR);
}

IoResult Stream::not_ready(std::size_t bytes) const {
  return {is_open() ? IoStatus::woken : IoStatus::failed, bytes,
          boost::asio::error::operation_aborted};
}

void Stream::watch_silence() {
  Descriptor::Party& reader = descriptor_->reader();
  if (is_open() && reader.drained()) reader.arm(Direction::read);
}

bool Stream::is_silent(bool sure) {
  if (!is_open()) return false;
  const Descriptor::Party& reader = descriptor_->reader();
  if (!sure && reader.armed() && reader.drained()) return true;
  return nothing_there(descriptor_->fd());
}

std::unique_ptr<Stream> plain_stream(tcp::socket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace tollgate::net
