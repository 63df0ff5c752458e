// AccessLog: one JSON line for each authenticated POST. Each worker renders its lines (AccessLine)
// into a ring of its own, one thread writes them all (RingWriter); under pressure lines are lost
// and counted, never awaited. Made by serve(); the workers' entrances are made at their start.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/app/ring_writer.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate::app {

class AccessLog {
 public:
  /// `where`: stdout, stderr, off or a path. Call `start` once.
  explicit AccessLog(std::string where);
  ~AccessLog();
  /// Opens the output and starts the writer. Error: the file cannot be opened.
  Result<void> start();
  /// A worker's own entrance, for its thread only; lives as long as the log. Control thread.
  OutcomeSink& add_worker();
  /// Opens the same path again (after logrotate); called at SIGHUP.
  void reopen();
  /// Writes what was recorded until now and ends the thread.
  void stop();

  /// Lines that were lost.
  [[nodiscard]] std::uint64_t dropped() const { return writer_.dropped(); }

 private:
  const bool off_;
  RingWriter writer_;
  std::vector<std::unique_ptr<OutcomeSink>> workers_;
};

}  // namespace tollgate::app
