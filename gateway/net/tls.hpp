// TLS over OpenSSL, straight on the socket: contexts for both sides and the stream they make. The
// upstream client asks TlsClientContexts, listeners ask TlsServerContext; both may be shared by all
// workers. A stream belongs to its worker.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/core/error.hpp"
#include "gateway/net/stream.hpp"
#include "routing/target.hpp"

namespace tollgate::net {

using SslContext = std::shared_ptr<SSL_CTX>;

/// A stream that must shake hands before anything else. An end without close_notify is `failed`
/// with asio::error::eof: who knows from the message that it was whole may let it pass.
class TlsStream : public Stream {
 public:
  using Stream::Stream;
  /// Ends with ok, woken (by wake_read) or failed; why, says `failure`.
  virtual Awaitable<IoResult> handshake() = 0;
  /// For the log: what went wrong in the handshake ("certificate has expired").
  [[nodiscard]] virtual std::string failure() const = 0;
  /// Whether the handshake resumed an earlier session.
  [[nodiscard]] virtual bool resumed() const = 0;
};

/// The listener's certificate; `reload` swaps it, running connections keep theirs. Any thread.
class TlsServerContext {
 public:
  /// Reads both files (PEM, chain first). TLS 1.2 and later, ALPN http/1.1. Error: internal, with a
  /// message that names the file.
  Result<void> load(const std::string& cert_file, const std::string& key_file);
  /// What new connections take; empty before the first `load` that worked.
  [[nodiscard]] SslContext current() const;

 private:
  mutable std::mutex mutex_;
  SslContext current_;
};

class TlsClientContext;

/// Where a client's connection keeps the sessions that its peer grants; lives in its stream.
struct TlsSessionHome {
  std::shared_ptr<TlsClientContext> context;
  std::string address;
};

/// How we speak TLS to one kind of upstream, with its sessions for resumption. Any thread.
class TlsClientContext {
 public:
  /// System roots and `ca_file`; error: internal, with a message that names the file.
  static Result<std::shared_ptr<TlsClientContext>> make(const routing::TlsSettings& settings);
  explicit TlsClientContext(SslContext context) : context_(std::move(context)) {}

  [[nodiscard]] SSL_CTX* native() const { return context_.get(); }
  /// Resumes an earlier session of home's address on `ssl`, where there is one, and keeps those
  /// that come. `home` outlives `ssl`.
  static void attach(SSL* ssl, TlsSessionHome& home);

 private:
  struct Free {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  using Session = std::unique_ptr<SSL_SESSION, Free>;

  void keep(const std::string& address, Session session);
  Session take(const std::string& address);
  static int granted(SSL* ssl, SSL_SESSION* session);

  SslContext context_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::deque<Session>> sessions_;
};

/// One client context per TLS settings, made at the first need. Any thread.
class TlsClientContexts {
 public:
  Result<std::shared_ptr<TlsClientContext>> get(const routing::TlsSettings& settings);
  /// After a reload: certificate files are read again at the next connect.
  void clear();

 private:
  std::mutex mutex_;
  std::vector<std::pair<routing::TlsSettings, std::shared_ptr<TlsClientContext>>> made_;
};

/// The server's side of `socket`; handshake() next.
[[nodiscard]] std::unique_ptr<TlsStream> tls_server_stream(std::unique_ptr<Descriptor> socket,
                                                           const SslContext& context);

/// The client's side of `socket`: SNI and certificate check for `host` (a name or an address);
/// sessions are kept under `host` and `port`.
[[nodiscard]] std::unique_ptr<TlsStream> tls_client_stream(
    std::unique_ptr<Descriptor> socket, std::shared_ptr<TlsClientContext> context,
    std::string_view host, std::uint16_t port);

/// OpenSSL's own words for the oldest error of this thread, which is cleared; for logs.
[[nodiscard]] std::string tls_error_text();

}  // namespace tollgate::net
