// LogFile: where a log's bytes go: stdout, stderr or a file that logrotate may move away. One
// thread at a time.
#pragma once
#include <span>
#include <string>
#include <sys/types.h>
#include <sys/uio.h>

#include "gateway/core/error.hpp"

namespace tollgate::app {

class LogFile {
 public:
  /// `where`: stdout, stderr or a path.
  explicit LogFile(std::string where) : where_(std::move(where)) {}
  ~LogFile() { close(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Error: a path that cannot be opened. A new file can be read by its owner only.
  Result<void> open();
  /// Opens the path again where it names another file by now; true when it does. What cannot be
  /// opened leaves the old file in use.
  bool reopen();
  void close();

  /// Bytes written, at least one; or -1: the place takes nothing now (a full disk, a closed pipe).
  ssize_t write(std::span<const iovec> pieces);

 private:
  std::string where_;
  int fd_ = -1;
};

}  // namespace tollgate::app
