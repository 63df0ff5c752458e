// RingWriter: one thread that carries the lines of many rings into one file, many at a write. Who
// pushes never waits and takes no lock: it wakes the thread when that sleeps, which is once a batch
// at most, and a line that does not fit is lost and counted. Lines of one ring keep their order.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <thread>
#include <vector>

#include "gateway/app/byte_ring.hpp"
#include "gateway/app/log_file.hpp"

namespace tollgate::app {

class RingWriter {
 public:
  /// Some 2,700 lines: a fifth of a second without writing at 15,000 requests a second.
  static constexpr std::size_t default_ring_bytes = 2U << 20U;

  explicit RingWriter(std::string where, std::size_t ring_bytes = default_ring_bytes);
  ~RingWriter();
  RingWriter(const RingWriter&) = delete;
  RingWriter& operator=(const RingWriter&) = delete;

  /// Opens the file and starts the thread. Error: one sentence.
  Result<void> start();
  /// A ring for one thread to push into; it lives as long as the writer. Any time, any thread.
  ByteRing& add_ring();
  /// Hands on one line with its newline; from the ring's own thread.
  void push(ByteRing& ring, std::string_view line) noexcept;
  /// Has the path opened again, soon; any thread.
  void reopen();
  /// Writes what waits and ends the thread; what then cannot be written is counted as lost.
  void stop();

  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  /// What one ring had when a write was put together.
  struct Share {
    ByteRing* ring;
    std::size_t bytes;
  };

  void run();
  void await_batch();
  void await_wake(std::chrono::milliseconds limit) noexcept;
  void wake() noexcept;
  [[nodiscard]] bool all_empty();
  void write_lines();
  std::size_t gather();
  void consume(std::size_t wrote);
  void begin_new_file();
  void lose_rest();

  LogFile file_;
  const std::size_t ring_bytes_;
  int wake_fd_ = -1;
  std::mutex mutex_;  ///< guards `rings_`; nobody who pushes takes it
  std::vector<std::unique_ptr<ByteRing>> rings_;
  std::atomic<bool> asleep_{false};   ///< the thread waits for a first line
  std::atomic<bool> hurried_{false};  ///< it was told that a ring fills
  std::atomic<bool> stopping_{false}, reopen_{false};
  std::atomic<std::uint64_t> dropped_{0};
  // The thread's own.
  std::vector<Share> shares_;
  std::vector<iovec> pieces_;
  bool failing_ = false;  ///< the file took nothing at the last try
  bool half_line_ = false;
  std::thread thread_;
};

}  // namespace tollgate::app
