#include "gateway/app/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tollgate::app {
namespace {

/// How long a pipe that somebody made non-blocking may be full before it counts as taking nothing.
constexpr int room_milliseconds = 1000;

int open_path(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

bool same_file(int one, int other) {
  struct stat a{};
  struct stat b{};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

bool await_room(int fd) {
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&waiting, 1, room_milliseconds) > 0;
}

}  // namespace

Result<void> LogFile::open() {
  if (where_ == "stdout" || where_ == "stderr") {
    fd_ = where_ == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
    return {};
  }
  fd_ = open_path(where_);
  if (fd_ >= 0) return {};
  return fail(ErrorKind::internal,
              "cannot open the access log " + where_ + ": " + std::strerror(errno));
}

bool LogFile::reopen() {
  if (fd_ <= STDERR_FILENO) return false;
  const int fresh = open_path(where_);
  if (fresh < 0) return false;
  const bool same = same_file(fresh, fd_);
  ::close(same ? fresh : std::exchange(fd_, fresh));
  return !same;
}

void LogFile::close() {
  if (const int fd = std::exchange(fd_, -1); fd > STDERR_FILENO) ::close(fd);
}

ssize_t LogFile::write(std::span<const iovec> pieces) {
  const int count = static_cast<int>(std::min<std::size_t>(pieces.size(), IOV_MAX));
  while (true) {
    const ssize_t wrote = ::writev(fd_, pieces.data(), count);
    if (wrote > 0) return wrote;
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN && await_room(fd_)) continue;
    return -1;
  }
}

}  // namespace tollgate::app
