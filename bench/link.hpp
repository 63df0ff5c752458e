// Link: one socket of the load generator or of the mock provider, plain or under TLS; both ask it
// for bytes in the same words. Tls: the certificate and settings that the links of a program share.
// Non-blocking, on the loopback address; one thread.
#pragma once
#include <cstdint>
#include <memory>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace tollgate::bench {

class Tls {
 public:
  /// For links that connect. The server's certificate is not looked at: what a check costs is
  /// measured where proxies connect, not here.
  static Tls client();
  /// For links that are accepted, with files in PEM. Throws std::runtime_error naming the file.
  static Tls server(const std::string& certificate_file, const std::string& key_file);

  [[nodiscard]] SSL_CTX* context() const { return context_.get(); }

 private:
  explicit Tls(const SSL_METHOD* method);
  std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context_;
};

class Link {
 public:
  Link() = default;
  /// Takes over an accepted socket; `tls` null: plain. The handshake happens in the reads.
  static Link accepted(int socket, const Tls* tls);
  /// Connects to 127.0.0.1, the handshake included. Not open: errno says why (EPROTO: TLS).
  static Link connected(std::uint16_t port, const Tls* tls);

  ~Link() { close(); }
  Link(Link&& other) noexcept;
  Link& operator=(Link&& other) noexcept;

  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  /// What has come, as much as fits; 0: nothing now, -1: the other side has ended or is gone.
  ssize_t read(std::span<char> buffer);
  /// How many bytes were taken; 0: none now, -1: the other side is gone.
  ssize_t write(std::string_view bytes);
  void close() noexcept;

 private:
  Link(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}
  bool shake_hands();
  ssize_t read_records(std::span<char> buffer);
  ssize_t outcome(int result);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
};

}  // namespace tollgate::bench
