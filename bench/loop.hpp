// What the load generator and the mock upstream share of the operating system: the clock, sockets
// on the loopback address (no other can be named) and a level-triggered epoll whose wait ends to
// the microsecond. Each program has one thread and one Epoll.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <sys/epoll.h>

namespace tollgate::bench {

/// CLOCK_MONOTONIC in nanoseconds: the same clock in every process of this machine.
std::int64_t now_ns();

/// Takes as many descriptors as the system allows.
void raise_descriptor_limit();

/// A non-blocking listener on 127.0.0.1; port 0 takes a free one. -1: errno says why.
int listen_on(std::uint16_t port);
std::uint16_t port_of(int listener);

/// A connected, non-blocking socket without Nagle's delay to 127.0.0.1. -1: errno says why.
int connect_to(std::uint16_t port);

/// Makes an accepted socket non-blocking and turns Nagle's delay off.
void prepare(int socket);

class Epoll {
 public:
  Epoll();
  ~Epoll();
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  void add(int fd, std::uint32_t tag);
  /// Also tells when `fd` can be written, or no longer.
  void want_writes(int fd, std::uint32_t tag, bool wanted);
  void remove(int fd);
  /// Waits until something is ready or the clock shows `until_ns`.
  std::span<const epoll_event> wait(std::int64_t until_ns);

 private:
  int fd_;
  bool precise_ = true;  // the kernel knows epoll_pwait2
  std::array<epoll_event, 256> ready_{};
};

}  // namespace tollgate::bench
