#include "gateway/app/ring_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "gateway/core/background_thread.hpp"

namespace tollgate::app {
namespace {

using std::chrono::milliseconds;

/// How long lines gather behind the first. Long enough that waking and writing cost nothing at any
/// rate (20 times a second), short enough that who watches the log does not wait, and that a crash
/// takes little with it.
constexpr milliseconds batch_window{50};
/// A place that took nothing (a full disk) is asked again this often.
constexpr milliseconds retry_every{1000};
constexpr milliseconds for_ever{-1};

/// A ring this full is written at once. Little at a time: where the thread shares a core with a
/// worker, a write of half a megabyte is a pause of that worker's requests.
constexpr std::size_t hurry_bytes_max = 64U << 10U;
std::size_t hurry_bytes(const ByteRing& ring) {
  return std::min(hurry_bytes_max, ring.capacity() / 4);
}

constexpr int niceness = 10;

iovec piece_of(std::string_view text) {
  return {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
}

char byte_at(const std::array<std::string_view, 2>& pieces, std::size_t at) {
  const std::size_t first = pieces[0].size();
  return at < first ? pieces[0][at] : pieces[1][at - first];
}

}  // namespace

RingWriter::RingWriter(std::string where, std::size_t ring_bytes)
    : file_(std::move(where)), ring_bytes_(ring_bytes) {}

RingWriter::~RingWriter() {
  stop();
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

Result<void> RingWriter::start() {
  if (auto opened = file_.open(); !opened) return opened;
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) {
    return fail(ErrorKind::internal,
                std::string("cannot start the access log: ") + std::strerror(errno));
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

ByteRing& RingWriter::add_ring() {
  const std::lock_guard lock(mutex_);
  return *rings_.emplace_back(std::make_unique<ByteRing>(ring_bytes_));
}

void RingWriter::push(ByteRing& ring, std::string_view line) noexcept {
  if (!ring.push(line)) dropped_.fetch_add(1, std::memory_order_relaxed);
  // Looked at before it is changed: while the thread is awake its cache line stays shared.
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false)) wake();
  if (ring.fill() < hurry_bytes(ring)) return;
  if (!hurried_.load(std::memory_order_relaxed) && !hurried_.exchange(true)) wake();
}

void RingWriter::reopen() {
  reopen_ = true;
  wake();
}

void RingWriter::stop() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  file_.close();
}

void RingWriter::wake() noexcept {
  if (wake_fd_ >= 0) ::eventfd_write(wake_fd_, 1);
}

void RingWriter::await_wake(milliseconds limit) noexcept {
  pollfd waiting{.fd = wake_fd_, .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, static_cast<int>(limit.count()));
  eventfd_t told = 0;
  ::eventfd_read(wake_fd_, &told);
}

void RingWriter::run() {
  step_back(niceness);
  while (!stopping_) {
    await_batch();
    if (reopen_.exchange(false) && file_.reopen()) begin_new_file();
    write_lines();
  }
  write_lines();  // what came between the last look and the end
  lose_rest();
}

/// Sleeps until there is a line (no timer runs while there is none), then lets others join it.
void RingWriter::await_batch() {
  const auto called = [this] { return stopping_ || reopen_; };
  asleep_.store(true, std::memory_order_seq_cst);
  if (all_empty() && !called()) await_wake(for_ever);
  asleep_ = false;
  if (!called()) await_wake(failing_ ? retry_every : batch_window);
}

bool RingWriter::all_empty() {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(rings_, [](const auto& ring) { return ring->fill() == 0; });
}

void RingWriter::write_lines() {
  hurried_ = false;
  failing_ = false;
  while (const std::size_t gathered = gather()) {
    const ssize_t wrote = file_.write(pieces_);
    if (wrote < 0) {
      // The lines stay where they are, and nobody hurries us as long as it is in vain.
      failing_ = true;
      hurried_ = true;
      return;
    }
    consume(static_cast<std::size_t>(wrote));
    if (static_cast<std::size_t>(wrote) == gathered) return;
  }
}

/// Puts together what all rings hold now; returns its size.
std::size_t RingWriter::gather() {
  shares_.clear();
  pieces_.clear();
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  for (const auto& ring : rings_) {
    const auto waiting = ring->readable();
    shares_.push_back({.ring = ring.get(), .bytes = waiting[0].size() + waiting[1].size()});
    bytes += shares_.back().bytes;
    for (const std::string_view piece : waiting) {
      if (!piece.empty()) pieces_.push_back(piece_of(piece));
    }
  }
  return bytes;
}

/// Frees what was written. A ring that was cut in the middle comes first from now on, so that
/// nothing gets between the halves of its line.
void RingWriter::consume(std::size_t wrote) {
  half_line_ = false;
  for (std::size_t i = 0; i < shares_.size() && wrote > 0; ++i) {
    const std::size_t taken = std::min(wrote, shares_[i].bytes);
    wrote -= taken;
    if (taken > 0 && taken < shares_[i].bytes) {
      half_line_ = byte_at(shares_[i].ring->readable(), taken - 1) != '\n';
      const std::lock_guard lock(mutex_);
      std::ranges::rotate(rings_, rings_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    shares_[i].ring->consume(taken);
  }
}

/// The rest of a line whose first half stands in the old file is not for the new one.
void RingWriter::begin_new_file() {
  if (!std::exchange(half_line_, false)) return;
  dropped_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  for (const std::string_view piece : rings_.front()->readable()) {
    const std::size_t end = piece.find('\n');
    const bool ends = end != std::string_view::npos;
    rings_.front()->consume(ends ? end + 1 : piece.size());
    if (ends) return;
  }
}

void RingWriter::lose_rest() {
  const std::lock_guard lock(mutex_);
  for (const auto& ring : rings_) {
    for (const std::string_view piece : ring->readable()) {
      dropped_ += static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
      ring->consume(piece.size());
    }
  }
}

}  // namespace tollgate::app
