#include "gateway/app/healthcheck.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/load.hpp"

namespace tollgate::app {
namespace {

constexpr timeval patience{.tv_sec = 3, .tv_usec = 0};

struct Socket {
  int number = -1;
  explicit Socket(int n) : number(n) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (number >= 0) ::close(number);
  }
};

// A listener on every address is asked on loopback.
std::string reachable_host(const std::string& host) {
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

bool connect_to(const addrinfo& address, const Socket& socket) {
  ::setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return ::connect(socket.number, address.ai_addr, address.ai_addrlen) == 0;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// The status line, as far as `HTTP/1.1 200`.
std::string receive_status(int socket) {
  constexpr std::size_t wanted = 12;
  std::string out;
  char buffer[wanted];
  while (out.size() < wanted) {
    const ssize_t got = ::recv(socket, buffer, wanted - out.size(), 0);
    if (got <= 0) break;
    out.append(buffer, static_cast<std::size_t>(got));
  }
  return out;
}

std::string ask(int socket, const HealthTarget& target) {
  std::string request = "GET " + target.path + " HTTP/1.1\r\nHost: " + target.address.text() +
                        "\r\nConnection: close\r\n";
  if (!target.token.empty()) request += "Authorization: Bearer " + target.token + "\r\n";
  if (!send_all(socket, request + "\r\n")) return std::strerror(errno);
  const std::string status = receive_status(socket);
  if (!status.starts_with("HTTP/1.") || status.size() < 12) return "no HTTP answer";
  const std::string code = status.substr(9, 3);
  return code == "200" ? "" : "status " + code;
}

}  // namespace

std::optional<HealthTarget> health_target(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  const std::size_t slash = url.find('/');
  std::string authority(url.substr(0, slash));
  if (authority.find(':', authority.find(']') == authority.npos ? 0 : authority.find(']')) ==
      authority.npos) {
    authority += ":80";
  }
  const auto address = config::parse_host_port(authority);
  if (!address || address->host.empty() || address->port == 0) return std::nullopt;
  HealthTarget target;
  target.address = *address;
  if (slash != url.npos && slash + 1 < url.size()) target.path = url.substr(slash);
  const bool clean = target.path.find_first_of(" \r\n") == std::string::npos;
  return clean ? std::optional(target) : std::nullopt;
}

HealthTarget health_target(const config::Config& config) {
  HealthTarget target;
  if (config.listen.metrics) {
    target.address = *config.listen.metrics;
  } else {
    target.address = config.listen.admin.value_or(config::HostPort{"127.0.0.1", 9901});
    target.token = config.listen.admin_token.value;
  }
  return target;
}

std::string ask_health(const HealthTarget& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string host = reachable_host(target.address.host);
  const int error =
      ::getaddrinfo(host.c_str(), std::to_string(target.address.port).c_str(), &hints, &found);
  if (error != 0) return ::gai_strerror(error);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  std::string wrong = "no address";
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const Socket socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.number < 0 || !connect_to(*address, socket)) {
      wrong = target.address.text() + ": " + std::strerror(errno);
      continue;
    }
    return ask(socket.number, target);
  }
  return wrong;
}

}  // namespace tollgate::app
