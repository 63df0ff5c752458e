#include "bench/loop.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace tollgate::bench {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t millisecond_ns = 1'000'000;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int closed(int socket) {
  const int why = errno;
  ::close(socket);
  errno = why;
  return -1;
}

void set_option(int socket, int level, int name) {
  const int on = 1;
  ::setsockopt(socket, level, name, &on, sizeof on);
}

}  // namespace

std::int64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * second_ns + time.tv_nsec;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int listen_on(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  set_option(fd, SOL_SOCKET, SO_REUSEADDR);
  const sockaddr_in address = loopback(port);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return closed(fd);
  if (::listen(fd, SOMAXCONN) != 0) return closed(fd);
  return fd;
}

std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void prepare(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const timeval patience{2, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return closed(fd);
  prepare(fd);
  return fd;
}

Epoll::Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}
Epoll::~Epoll() { ::close(fd_); }

void Epoll::add(int fd, std::uint32_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = tag;
  ::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event);
}

void Epoll::want_writes(int fd, std::uint32_t tag, bool wanted) {
  epoll_event event{};
  event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = tag;
  ::epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event);
}

void Epoll::remove(int fd) { ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> Epoll::wait(std::int64_t until_ns) {
  const std::int64_t left = std::clamp<std::int64_t>(until_ns - now_ns(), 0, second_ns);
  const int room = static_cast<int>(ready_.size());
  int count = -1;
  if (precise_) {
    const timespec timeout{left / second_ns, left % second_ns};
    count = ::epoll_pwait2(fd_, ready_.data(), room, &timeout, nullptr);
    if (count < 0 && errno == ENOSYS) precise_ = false;
  }
  if (!precise_) {
    const std::int64_t rounded = (left + millisecond_ns - 1) / millisecond_ns;
    count = ::epoll_wait(fd_, ready_.data(), room, static_cast<int>(rounded));
  }
  return {ready_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace tollgate::bench
