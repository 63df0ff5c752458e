#include "gateway/net/stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

#include "gateway/net/stream_wait.hpp"

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

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

class PlainStream final : public Stream {
 public:
  explicit PlainStream(tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.native_non_blocking(true, ignored);
  }
  ~PlainStream() override { close(); }

  // Asio's own read tries the system call first and needs no epoll_ctl to wait; a wait of ours
  // before each read would.
  Awaitable<IoResult> read_some(std::span<char> into) override {
    auto [error, bytes] =
        co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), reading_.token());
    if (!error) co_return IoResult{IoStatus::ok, bytes, {}};
    if (error == asio::error::eof) co_return IoResult{IoStatus::eof, 0, {}};
    co_return io_failure(socket_, error);
  }

  Awaitable<IoResult> write_all(std::span<const std::string_view> parts) override {
    Cursor cursor(parts);
    std::size_t written = 0;
    while (!cursor.done()) {
      const ssize_t n = send_some(cursor);
      if (n >= 0) {
        written += static_cast<std::size_t>(n);
        cursor.advance(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        auto error = co_await writing_.ready(socket_, tcp::socket::wait_write);
        if (error) co_return io_failure(socket_, error, written);
      } else if (errno != EINTR) {
        co_return IoResult{IoStatus::failed, written, {errno, boost::system::system_category()}};
      }
    }
    co_return IoResult{IoStatus::ok, written, {}};
  }

  void wake_read() noexcept override { reading_.wake(); }
  void wake_write() noexcept override { writing_.wake(); }
  void shutdown_send() noexcept override {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }
  void close() noexcept override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  [[nodiscard]] bool is_open() const override { return socket_.is_open(); }
  [[nodiscard]] tcp::socket& socket() override { return socket_; }

 private:
  ssize_t send_some(const Cursor& cursor) {
    std::array<iovec, 64> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = cursor.fill(parts);
    return ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  }

  tcp::socket socket_;
  StreamWait reading_, writing_;
};

}  // namespace

std::unique_ptr<Stream> plain_stream(tcp::socket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace tollgate::net
