// AccessLog: one JSON line for each authenticated POST, keys named as the ledger's. Lines go into a
// bounded buffer that one writer thread empties; under pressure lines are dropped and counted,
// never awaited. `record` on any worker.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "gateway/core/error.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate::app {

/// The line (with its newline) for one outcome.
void append_access_line(std::string& out, const Outcome& outcome);

class AccessLog final : public OutcomeSink {
 public:
  /// `where`: stdout, stderr, off or a path. Call `start` once.
  explicit AccessLog(std::string where);
  ~AccessLog() override;
  /// Opens the output and starts the writer. Error: the file cannot be opened.
  Result<void> start();
  /// Opens the same path again (after logrotate); called at SIGHUP.
  void reopen();
  /// Writes what is buffered and ends the thread.
  void stop();

  void record(const Outcome& outcome) noexcept override;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(); }

 private:
  void write_loop();
  void write_all(const std::string& text);

  std::string where_;
  std::atomic<int> fd_{-1};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string buffer_;
  bool stopping_ = false;
  std::atomic<bool> reopen_{false};
  std::atomic<std::uint64_t> dropped_{0};
  std::thread writer_;
};

}  // namespace tollgate::app
