#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <optional>
#include <sys/socket.h>

#include "gateway/net/tls.hpp"

namespace tollgate::net {
namespace {

namespace asio = boost::asio;
using Direction = Descriptor::Direction;

constexpr std::size_t record_bytes = 16 * 1024;  // the most that one TLS record carries

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that went away would end us.
int bio_fd(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_result(BIO* bio, ssize_t n, bool reading) {
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    reading ? BIO_set_retry_read(bio) : BIO_set_retry_write(bio);
  }
  if (n == 0 && reading) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

int bio_read(BIO* bio, char* into, int size) {
  return bio_result(bio, ::recv(bio_fd(bio), into, static_cast<std::size_t>(size), 0), true);
}

int bio_write(BIO* bio, const char* from, int size) {
  const auto bytes = static_cast<std::size_t>(size);
  return bio_result(bio, ::send(bio_fd(bio), from, bytes, MSG_NOSIGNAL), false);
}

long bio_ctrl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tollgate socket");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_ctrl);
    return made;
  }();
  return method;
}

class OpenSslStream final : public TlsStream {
 public:
  OpenSslStream(std::unique_ptr<Descriptor> socket, SSL_CTX* context)
      : TlsStream(std::move(socket)), ssl_(SSL_new(context), &SSL_free) {
    BIO* bio = BIO_new(socket_method());
    const auto fd = static_cast<std::intptr_t>(descriptor().fd());
    BIO_set_data(bio, reinterpret_cast<void*>(fd));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
  }
  ~OpenSslStream() override {
    close();
    // Else OpenSSL takes the missing close_notify for an attack and spoils the newest session.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }

  void accept() { SSL_set_accept_state(ssl_.get()); }
  void connect(TlsSessionHome home, std::string_view host);

  Awaitable<IoResult> handshake() override {
    IoResult result = co_await drive(descriptor().reader(),
                                     [this](std::size_t&) { return SSL_do_handshake(ssl_.get()); });
    if (result.status == IoStatus::eof) result.status = IoStatus::failed;
    co_return result;
  }

  Awaitable<IoResult> readable() override {
    if (others_turn() && !co_await descriptor().reader().turn()) co_return not_ready();
    co_return co_await drive(descriptor().reader(), [this](std::size_t& bytes) {
      char first = 0;
      return SSL_peek_ex(ssl_.get(), &first, 1, &bytes);
    });
  }

  IoResult read_now(std::span<char> into) override {
    if (!is_open()) return not_ready();
    const Step step = attempt([this, into](std::size_t& bytes) {
      return SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    });
    return step.waits_for ? not_ready() : step.result;
  }

  Awaitable<IoResult> write_all(std::span<const std::string_view> parts) override;

  void shutdown_send() noexcept override {
    if (!is_open()) return;
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
    shut_sending();
  }
  [[nodiscard]] std::string failure() const override { return failure_; }
  [[nodiscard]] bool resumed() const override { return SSL_session_reused(ssl_.get()) == 1; }

 private:
  struct Step {
    IoResult result;
    std::optional<Direction> waits_for;  // then there is no result yet
  };
  template <class Operation>
  Step attempt(Operation operation);
  template <class Operation>
  Awaitable<IoResult> drive(Descriptor::Party& party, Operation operation);
  IoResult broken(int why);

  TlsSessionHome home_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::string failure_;
};

/// One OpenSSL call.
template <class Operation>
OpenSslStream::Step OpenSslStream::attempt(Operation operation) {
  ERR_clear_error();
  std::size_t bytes = 0;
  errno = 0;
  const int done = operation(bytes);
  if (done == 1) return {{IoStatus::ok, bytes, {}}, std::nullopt};
  const int why = SSL_get_error(ssl_.get(), done);
  if (why == SSL_ERROR_WANT_READ) return {{}, Direction::read};
  if (why == SSL_ERROR_WANT_WRITE) return {{}, Direction::write};
  return {broken(why), std::nullopt};
}

/// Repeats one OpenSSL call until it is done, waiting for what it asks for. The wait belongs to the
/// party (reader or writer), not to the direction: a read may have to write and the other way
/// round.
template <class Operation>
Awaitable<IoResult> OpenSslStream::drive(Descriptor::Party& party, Operation operation) {
  for (;;) {
    if (!is_open()) co_return not_ready();
    const Step step = attempt(operation);
    if (!step.waits_for) co_return step.result;
    if (!co_await party.ready(*step.waits_for)) co_return not_ready();
  }
}

IoResult OpenSslStream::broken(int why) {
  const int system_error = errno;
  if (why == SSL_ERROR_ZERO_RETURN) return {IoStatus::eof, 0, {}};
  const unsigned long code = ERR_peek_error();
  const bool cut = (why == SSL_ERROR_SYSCALL && code == 0 && system_error == 0) ||
                   ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  const long verified = SSL_get_verify_result(ssl_.get());
  failure_ = tls_error_text();
  if (verified != X509_V_OK) failure_ = X509_verify_cert_error_string(verified);
  if (cut) return {IoStatus::failed, 0, asio::error::eof};
  if (failure_.empty() && system_error != 0) {
    return {IoStatus::failed, 0, {system_error, boost::system::system_category()}};
  }
  return {IoStatus::failed, 0, asio::error::connection_aborted};
}

/// Takes up to a record's bytes from `parts`, which it shortens; small parts share a record.
std::size_t fill_record(std::span<const std::string_view>& parts, std::size_t& offset,
                        std::span<char> record) {
  std::size_t filled = 0;
  while (!parts.empty() && filled < record.size()) {
    const std::string_view rest = parts.front().substr(offset);
    const std::size_t step = std::min(rest.size(), record.size() - filled);
    std::copy_n(rest.data(), step, record.data() + filled);
    filled += step;
    offset += step;
    if (offset == parts.front().size()) {
      parts = parts.subspan(1);
      offset = 0;
    }
  }
  return filled;
}

Awaitable<IoResult> OpenSslStream::write_all(std::span<const std::string_view> parts) {
  std::size_t total = 0;
  for (std::string_view part : parts)
    total += part.size();
  std::vector<char> record(std::min(total, record_bytes));
  std::size_t offset = 0;
  std::size_t written = 0;
  while (written < total) {
    std::string_view rest(record.data(), fill_record(parts, offset, record));
    while (!rest.empty()) {
      const IoResult step = co_await drive(descriptor().writer(), [this, rest](std::size_t& bytes) {
        return SSL_write_ex(ssl_.get(), rest.data(), rest.size(), &bytes);
      });
      written += step.bytes;
      if (step.status != IoStatus::ok) co_return IoResult{step.status, written, step.error};
      rest.remove_prefix(step.bytes);
    }
  }
  co_return IoResult{IoStatus::ok, written, {}};
}

void OpenSslStream::connect(TlsSessionHome home, std::string_view host) {
  home_ = std::move(home);
  SSL* ssl = ssl_.get();
  const std::string name(host);
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  boost::system::error_code no_address;
  asio::ip::make_address(name, no_address);
  if (no_address) {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    X509_VERIFY_PARAM_set1_host(param, name.data(), name.size());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str());
  }
  TlsClientContext::attach(ssl, home_);
  SSL_set_connect_state(ssl);
}

}  // namespace

std::unique_ptr<TlsStream> tls_server_stream(std::unique_ptr<Descriptor> socket,
                                             const SslContext& context) {
  auto stream = std::make_unique<OpenSslStream>(std::move(socket), context.get());
  stream->accept();
  return stream;
}

std::unique_ptr<TlsStream> tls_client_stream(std::unique_ptr<Descriptor> socket,
                                             std::shared_ptr<TlsClientContext> context,
                                             std::string_view host, std::uint16_t port) {
  SSL_CTX* native = context->native();
  auto stream = std::make_unique<OpenSslStream>(std::move(socket), native);
  stream->connect({std::move(context), std::string(host) + ":" + std::to_string(port)}, host);
  return stream;
}

}  // namespace tollgate::net
