#include <openssl/err.h>
#include <openssl/x509.h>

#include "gateway/net/tls.hpp"

namespace tollgate::net {
namespace {

constexpr std::size_t sessions_per_address = 4;
constexpr std::size_t addresses_max = 1024;

SslContext new_context(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method), &SSL_CTX_free);
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // RELEASE_BUFFERS keeps an idle connection near 34 KB. A write that waits is repeated from a
  // buffer that may have moved.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);  // one recv for a record's head and body
  return context;
}

std::unexpected<Error> failed(std::string what) {
  Error error = make_error(ErrorKind::internal, std::move(what));
  const std::string why = tls_error_text();
  if (!why.empty()) error.message += ": " + why;
  return std::unexpected(std::move(error));
}

constexpr unsigned char http_1_1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length,
                    const unsigned char* offered, unsigned int offered_length, void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_length, http_1_1, sizeof http_1_1, offered,
                                          offered_length);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int session_home_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

std::string tls_error_text() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return {};
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "TLS error " + std::to_string(code);
}

Result<void> TlsServerContext::load(const std::string& cert_file, const std::string& key_file) {
  ERR_clear_error();
  SslContext fresh = new_context(TLS_server_method());
  if (!fresh) return failed("TLS cannot be set up");
  if (SSL_CTX_use_certificate_chain_file(fresh.get(), cert_file.c_str()) != 1) {
    return failed("certificate file " + cert_file + " cannot be read");
  }
  if (SSL_CTX_use_PrivateKey_file(fresh.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return failed("key file " + key_file + " cannot be read, or does not belong to " + cert_file);
  }
  if (SSL_CTX_check_private_key(fresh.get()) != 1) {
    return failed("key file " + key_file + " does not belong to " + cert_file);
  }
  SSL_CTX_set_alpn_select_cb(fresh.get(), choose_protocol, nullptr);
  const std::scoped_lock lock(mutex_);
  current_ = std::move(fresh);
  return {};
}

SslContext TlsServerContext::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::make(
    const routing::TlsSettings& settings) {
  ERR_clear_error();
  SslContext context = new_context(TLS_client_method());
  if (!context) return failed("TLS cannot be set up");
  SSL_CTX_set_verify(context.get(), settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_default_verify_paths(context.get());
  if (!settings.ca_file.empty() &&
      SSL_CTX_load_verify_file(context.get(), settings.ca_file.c_str()) != 1) {
    return failed("CA file " + settings.ca_file + " cannot be read");
  }
  SSL_CTX_set_alpn_protos(context.get(), http_1_1, sizeof http_1_1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), granted);
  return std::make_shared<TlsClientContext>(std::move(context));
}

int TlsClientContext::granted(SSL* ssl, SSL_SESSION* session) {
  auto* home = static_cast<TlsSessionHome*>(SSL_get_ex_data(ssl, session_home_index()));
  if (home == nullptr) return 0;
  home->context->keep(home->address, Session(session));
  return 1;  // the reference is ours now
}

void TlsClientContext::attach(SSL* ssl, TlsSessionHome& home) {
  SSL_set_ex_data(ssl, session_home_index(), &home);
  const Session session = home.context->take(home.address);
  if (session) SSL_set_session(ssl, session.get());
}

void TlsClientContext::keep(const std::string& address, Session session) {
  const std::scoped_lock lock(mutex_);
  if (sessions_.size() >= addresses_max && !sessions_.contains(address)) return;
  std::deque<Session>& of_address = sessions_[address];
  if (of_address.size() == sessions_per_address) of_address.pop_front();
  of_address.push_back(std::move(session));
}

TlsClientContext::Session TlsClientContext::take(const std::string& address) {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(address);
  if (found == sessions_.end() || found->second.empty()) return nullptr;
  std::deque<Session>& kept = found->second;
  // A ticket of TLS 1.3 is for one use (else connections could be linked), older ones stay good.
  if (SSL_SESSION_get_protocol_version(kept.back().get()) < TLS1_3_VERSION) {
    SSL_SESSION_up_ref(kept.back().get());
    return Session(kept.back().get());
  }
  Session newest = std::move(kept.back());
  kept.pop_back();
  return newest;
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContexts::get(
    const routing::TlsSettings& settings) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, context] : made_) {
    if (key == settings) return context;
  }
  auto context = TlsClientContext::make(settings);
  if (!context) return std::unexpected(context.error());
  made_.emplace_back(settings, *context);
  return context;
}

void TlsClientContexts::clear() {
  const std::scoped_lock lock(mutex_);
  made_.clear();
}

}  // namespace tollgate::net
