#include "gateway/net/client_connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "gateway/net/asio_task.hpp"

namespace tollgate::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds hurried_write{2000};
constexpr milliseconds linger_time{1000};
constexpr std::size_t linger_bytes = 64 * 1024;
// A write is cut into slices so that its deadline asks for progress, not for the whole.
constexpr std::size_t slice_bytes = 256 * 1024;

/// Takes parts worth up to slice_bytes from `parts` (its first `offset` bytes are gone already).
std::vector<std::string_view> cut_slice(std::span<const std::string_view>& parts,
                                        std::size_t& offset) {
  std::vector<std::string_view> slice;
  std::size_t left = slice_bytes;
  while (!parts.empty() && left > 0) {
    const std::string_view piece = parts.front().substr(offset, left);
    slice.push_back(piece);
    left -= piece.size();
    offset += piece.size();
    if (offset < parts.front().size()) break;
    parts = parts.subspan(1);
    offset = 0;
  }
  return slice;
}

std::size_t total(std::span<const std::string_view> parts) {
  std::size_t bytes = 0;
  for (std::string_view part : parts)
    bytes += part.size();
  return bytes;
}

}  // namespace

ClientConnection::ClientConnection(boost::asio::io_context& io, Deadlines& deadlines,
                                   HangUpWatcher& watcher, std::unique_ptr<Stream> stream,
                                   std::size_t header_bytes_max)
    : Deadline(deadlines),
      io_(io),
      watcher_(watcher),
      stream_(std::move(stream)),
      inbox_(header_bytes_max) {}

Awaitable<bool> ClientConnection::handshake(TlsStream& stream, milliseconds limit) {
  busy_ = Busy::handshake;
  arm(coarse_now() + limit);
  const IoResult result = co_await stream.handshake();
  arm(never);
  busy_ = Busy::no;
  co_return result.status == IoStatus::ok && !closed_;
}

void ClientConnection::start(std::shared_ptr<void> owner) {
  owner_ = owner;
  // Not here and now: the session must be waiting by then. A request that came along with the end
  // of the client's side is to be seen before that end is.
  boost::asio::post(io_, [this, owner = std::move(owner)]() mutable {
    spawn(io_, pull(), [this, owner = std::move(owner)](const std::exception_ptr& failed) {
      if (failed) close();
    });
  });
}

Awaitable<void> ClientConnection::pull() {
  while (!closed_) {
    // A client may be silent for long: no room is set aside before there is something for it.
    if ((co_await stream_->readable()).status != IoStatus::ok || closed_) break;
    const std::span<char> room = inbox_.prepare();
    if (room.empty()) {
      co_await room_.wait();
      continue;
    }
    const IoResult result = stream_->read_now(room);
    inbox_.commit(result.bytes);
    if (result.status == IoStatus::woken) continue;
    if (result.status != IoStatus::ok) break;
    interrupt();
  }
  end_input();
}

void ClientConnection::end_input() {
  input_ended_ = true;
  if (closed_) return;
  // A client that closed its half of the connection has hung up too: proxies cannot tell the two
  // apart, and a stream for nobody costs money.
  if (busy_ == Busy::write) stream_->wake_write();
  watcher_.hung_up();
  interrupt();
}

BodyBuffer& ClientConnection::make_body(BufferBudget& budget, std::uint64_t expected) {
  body_ = std::make_unique<BodyBuffer>(budget, expected);
  return *body_;
}

void ClientConnection::release() {
  body_.reset();
  inbox_.release();
  keep_reading();
}

void ClientConnection::give_back() {
  release();
  inbox_.give_back();
}

Awaitable<bool> ClientConnection::more(SteadyTime until) {
  late_ = false;
  keep_reading();
  if (!changed_) arm(until);
  while (!changed_ && !late_)
    co_await arrived_.wait();
  arm(never);
  co_return std::exchange(changed_, false);
}

void ClientConnection::interrupt() {
  changed_ = true;
  arrived_.notify();
}

void ClientConnection::expired() {
  late_ = true;
  if (busy_ == Busy::write) return stream_->wake_write();
  if (busy_ == Busy::handshake) return stream_->wake_read();
  // Resumed here, the session could end and destroy this deadline while it is being called.
  boost::asio::post(io_, [this, owner = owner_.lock()] {
    if (owner) arrived_.notify();
  });
}

bool ClientConnection::send_now(std::vector<std::string_view>& parts) {
  if (broken_ || input_ended()) return false;
  std::size_t gone = stream_->write_now(parts);
  auto left = parts.begin();
  while (left != parts.end() && left->size() <= gone)
    gone -= left++->size();
  if (left == parts.end()) return true;
  left->remove_prefix(gone);
  parts.erase(parts.begin(), left);
  return false;
}

Awaitable<bool> ClientConnection::send(std::span<const std::string_view> parts, milliseconds idle) {
  return total(parts) <= slice_bytes ? send_slice(parts, idle) : send_slices(parts, idle);
}

Awaitable<bool> ClientConnection::send_slices(std::span<const std::string_view> parts,
                                              milliseconds idle) {
  std::size_t offset = 0;
  while (!parts.empty()) {
    const std::vector<std::string_view> slice = cut_slice(parts, offset);
    if (!co_await send_slice(slice, idle)) co_return false;
  }
  co_return true;
}

Awaitable<bool> ClientConnection::send_slice(std::span<const std::string_view> parts,
                                             milliseconds idle) {
  if (broken_ || input_ended()) co_return false;
  busy_ = Busy::write;
  arm(coarse_now() + (hurried_ ? std::min(idle, hurried_write) : idle));
  const IoResult result = co_await stream_->write_all(parts);
  arm(never);
  busy_ = Busy::no;
  broken_ = result.status != IoStatus::ok;
  co_return !broken_;
}

void ClientConnection::hurry() {
  hurried_ = true;
  if (busy_ == Busy::write) arm(std::min(at(), coarse_now() + hurried_write));
}

Awaitable<void> ClientConnection::finish(bool linger) {
  if (closed_) co_return;
  // A client that takes nothing any more would leave its share of the kernel's memory with us.
  if (broken_) co_return reset();
  if (!input_ended_) stream_->shutdown_send();
  if (linger) {
    inbox_.drop();
    const SteadyTime until = coarse_now() + linger_time;
    while (!input_ended() && inbox_.dropped() < linger_bytes) {
      if (!co_await more(until)) break;
    }
  }
  close();
}

void ClientConnection::reset() {
  if (closed_) return;
  stream_->reset();
  close();
}

void ClientConnection::close() {
  if (closed_) return;
  closed_ = true;
  disarm();
  stream_->close();
  room_.notify();
  interrupt();
}

}  // namespace tollgate::net
