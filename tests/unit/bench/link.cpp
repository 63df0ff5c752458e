#include "bench/link.hpp"

#include <cerrno>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "bench/loop.hpp"
#include "tests/unit/net/client_certificates.hpp"

using tollgate::bench::Link;
using tollgate::bench::listen_on;
using tollgate::bench::port_of;
using tollgate::bench::Tls;
using tollgate::net::test::Certificates;

namespace {

constexpr int patience_ms = 5000;

void wait_for(int fd, short events) {
  pollfd turn{fd, events, 0};
  REQUIRE(::poll(&turn, 1, patience_ms) == 1);
}

Link accept_from(int listener, const Tls* tls) {
  wait_for(listener, POLLIN);
  return Link::accepted(::accept(listener, nullptr, nullptr), tls);
}

void write_all(Link& link, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = link.write(bytes);
    REQUIRE(sent >= 0);
    if (sent == 0) wait_for(link.fd(), POLLOUT);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// Reads `size` bytes; waits for the socket only, as an event loop does: bytes that OpenSSL kept
/// to itself would never be told of.
std::string read_all(Link& link, std::size_t size) {
  std::string out;
  std::vector<char> buffer(64 * 1024);
  while (out.size() < size) {
    wait_for(link.fd(), POLLIN);
    const ssize_t got = link.read(buffer);
    REQUIRE(got >= 0);
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return out;
}

/// Accepts one link, sends back `size` bytes that it has read, and closes.
void echo(int listener, const Tls* tls, std::size_t size) {
  Link link = accept_from(listener, tls);
  write_all(link, read_all(link, size));
}

/// Sends `text` over a link and reads it back from the other side, then the end.
void round_trip(const Tls* server, const Tls* client, const std::string& text) {
  const int listener = listen_on(0);
  REQUIRE(listener >= 0);
  std::jthread other(echo, listener, server, text.size());
  Link link = Link::connected(port_of(listener), client);
  REQUIRE(link.open());
  std::vector<char> buffer(64 * 1024);
  CHECK(link.read(buffer) == 0);  // nothing has come
  write_all(link, text);
  CHECK(read_all(link, text.size()) == text);
  wait_for(link.fd(), POLLIN);
  CHECK(link.read(buffer) == -1);
  other.join();
  ::close(listener);
}

const std::string text(300'000, 'x');

}  // namespace

TEST_CASE("a plain link carries bytes both ways and tells the end") {
  round_trip(nullptr, nullptr, text);
}

TEST_CASE("a link under TLS does the same") {
  std::signal(SIGPIPE, SIG_IGN);
  const Certificates certificates("IP:127.0.0.1");
  const Tls server = Tls::server(certificates.certificate(), certificates.key());
  const Tls client = Tls::client();
  round_trip(&server, &client, text);
}

TEST_CASE("a link that moves takes its socket along") {
  const int listener = listen_on(0);
  Link first = Link::connected(port_of(listener), nullptr);
  const int fd = first.fd();
  Link second = std::move(first);
  CHECK_FALSE(first.open());  // NOLINT(bugprone-use-after-move)
  CHECK(second.fd() == fd);
  second = Link();
  CHECK_FALSE(second.open());
  CHECK(::fcntl(fd, F_GETFD) == -1);
  ::close(listener);
}

TEST_CASE("no listener, no link; a server without TLS, no link under TLS") {
  const int listener = listen_on(0);
  const std::uint16_t port = port_of(listener);
  std::jthread other([&] {
    Link link = accept_from(listener, nullptr);
    wait_for(link.fd(), POLLIN);
    write_all(link, "HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  const Tls client = Tls::client();
  CHECK_FALSE(Link::connected(port, &client).open());
  CHECK(errno == EPROTO);
  other.join();
  ::close(listener);
  CHECK_FALSE(Link::connected(port, nullptr).open());
  CHECK(errno == ECONNREFUSED);
}

TEST_CASE("a certificate that is not there is named") {
  const Certificates certificates("IP:127.0.0.1");
  CHECK_THROWS_WITH(Tls::server("/nowhere.pem", certificates.key()),
                    "/nowhere.pem: cannot be read");
  CHECK_THROWS(Tls::server(certificates.certificate(), certificates.ca()));
}
