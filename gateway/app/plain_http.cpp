#include "gateway/app/plain_http.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tollgate::app {
namespace {

constexpr timeval patience{.tv_sec = 3, .tv_usec = 0};
constexpr std::size_t answer_bytes_max = 64U << 10U;

struct Socket {
  int number = -1;
  explicit Socket(int n) : number(n) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (number >= 0) ::close(number);
  }
};

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

/// Until the other side closes, as it was asked to.
std::string receive(int socket) {
  std::string out;
  char buffer[4096];
  while (out.size() < answer_bytes_max) {
    const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    out.append(buffer, static_cast<std::size_t>(got));
  }
  return out;
}

PlainAnswer read_answer(std::string_view text) {
  constexpr std::size_t status_at = 9, status_end = 12;  // HTTP/1.1 200
  PlainAnswer answer;
  if (text.starts_with("HTTP/1.") && text.size() >= status_end) {
    std::from_chars(text.data() + status_at, text.data() + status_end, answer.status);
  }
  if (answer.status == 0) answer.wrong = "no HTTP answer";
  const std::size_t body = text.find("\r\n\r\n");
  if (body != std::string_view::npos) answer.body = text.substr(body + 4);
  return answer;
}

PlainAnswer exchange(int socket, const PlainRequest& request) {
  std::string text = std::string(request.method) + " " + request.path +
                     " HTTP/1.1\r\nHost: " + request.address.text() + "\r\nConnection: close\r\n";
  if (!request.token.empty()) text += "Authorization: Bearer " + request.token + "\r\n";
  if (!request.body.empty()) {
    text +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) +
        "\r\n";
  }
  text += "\r\n" + request.body;
  if (!send_all(socket, text)) return {.status = 0, .body = {}, .wrong = std::strerror(errno)};
  return read_answer(receive(socket));
}

}  // namespace

PlainAnswer ask_plain(const PlainRequest& request) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  PlainAnswer answer{.status = 0, .body = {}, .wrong = "no address"};
  const std::string host = reachable_host(request.address.host);
  const std::string port = std::to_string(request.address.port);
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return {.status = 0, .body = {}, .wrong = ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const Socket socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.number >= 0 && connect_to(*address, socket)) {
      return exchange(socket.number, request);
    }
    answer.wrong = request.address.text() + ": " + std::strerror(errno);
  }
  return answer;
}

}  // namespace tollgate::app
