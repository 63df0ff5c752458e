#include "bench/link.hpp"

#include <cerrno>
#include <openssl/err.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "bench/loop.hpp"

namespace tollgate::bench {
namespace {

constexpr int handshake_patience_ms = 5000;

bool not_now(int error) { return error == EAGAIN || error == EINTR; }

std::runtime_error unusable(const std::string& file) {
  const char* why = ::ERR_reason_error_string(::ERR_peek_error());
  return std::runtime_error(file + ": " + (why ? why : "cannot be read"));
}

}  // namespace

Tls::Tls(const SSL_METHOD* method) : context_(::SSL_CTX_new(method), &::SSL_CTX_free) {
  // Thousands of silent streams are held here too: no buffers for those that say nothing.
  ::SSL_CTX_set_mode(context(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

Tls Tls::client() { return Tls(::TLS_client_method()); }

Tls Tls::server(const std::string& certificate_file, const std::string& key_file) {
  Tls tls(::TLS_server_method());
  SSL_CTX* context = tls.context();
  if (::SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    throw unusable(certificate_file);
  if (::SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    throw unusable(key_file);
  return tls;
}

Link Link::accepted(int socket, const Tls* tls) {
  prepare(socket);
  SSL* ssl = tls ? ::SSL_new(tls->context()) : nullptr;
  if (ssl) {
    ::SSL_set_fd(ssl, socket);
    ::SSL_set_accept_state(ssl);
  }
  return {socket, ssl};
}

Link Link::connected(std::uint16_t port, const Tls* tls) {
  Link link(connect_to(port), nullptr);
  if (!link.open() || !tls) return link;
  link.ssl_ = ::SSL_new(tls->context());
  ::SSL_set_fd(link.ssl_, link.fd_);
  if (!link.shake_hands()) {
    link.close();
    errno = EPROTO;
  }
  return link;
}

Link::Link(Link&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ssl_(std::exchange(other.ssl_, nullptr)) {}

Link& Link::operator=(Link&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(ssl_, other.ssl_);
  other.close();
  return *this;
}

/// Waits for the other side: a load generator has nothing to do before it has its connections.
bool Link::shake_hands() {
  for (;;) {
    ::ERR_clear_error();
    const int result = ::SSL_connect(ssl_);
    if (result == 1) return true;
    const int want = ::SSL_get_error(ssl_, result);
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) return false;
    pollfd turn{fd_, static_cast<short>(want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    if (::poll(&turn, 1, handshake_patience_ms) != 1) return false;
  }
}

ssize_t Link::read(std::span<char> buffer) {
  if (ssl_) return read_records(buffer);
  const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (size < 0) return not_now(errno) ? 0 : -1;
  return size == 0 ? -1 : size;
}

/// Reads until the socket is empty: what OpenSSL holds back, epoll never tells of. Stops while a
/// whole record still fits, so that none is ever cut.
ssize_t Link::read_records(std::span<char> buffer) {
  std::size_t read = 0;
  do {
    ::ERR_clear_error();
    const std::span<char> room = buffer.subspan(read);
    const int size = ::SSL_read(ssl_, room.data(), static_cast<int>(room.size()));
    if (size <= 0) return read > 0 ? static_cast<ssize_t>(read) : outcome(size);
    read += static_cast<std::size_t>(size);
  } while (buffer.size() - read > SSL3_RT_MAX_PLAIN_LENGTH);
  return static_cast<ssize_t>(read);
}

ssize_t Link::write(std::string_view bytes) {
  if (ssl_) {
    ::ERR_clear_error();
    const int sent = ::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    return sent > 0 ? sent : outcome(sent);
  }
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent < 0 && not_now(errno) ? 0 : sent;
}

/// What an OpenSSL call that moved nothing means.
ssize_t Link::outcome(int result) {
  const int error = ::SSL_get_error(ssl_, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

void Link::close() noexcept {
  if (ssl_) ::SSL_free(std::exchange(ssl_, nullptr));
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace tollgate::bench
