// TLS to providers: whom we believe, what we resume, what a cut means.
#include <openssl/ssl.h>

#include "client_certificates.hpp"
#include "client_support.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

SslContext server_context(const Certificates& files) {
  TlsServerContext context;
  REQUIRE(context.load(files.certificate(), files.key()));
  return context.current();
}

Awaitable<void> answer_all(Talk& talk) {
  while (!(co_await talk.request()).empty())
    co_await talk.say(sized("secret"));
  talk.stream->shutdown_send();
}

Awaitable<void> answer_once(Talk& talk) {
  co_await talk.request();
  co_await talk.say(sized("secret", "connection: close\r\n"));
  talk.stream->shutdown_send();
}

routing::ProviderEntry tls_provider(const Server& server, std::string host, std::string ca) {
  auto provider = provider_at(server.port(), true, std::move(host));
  provider.tls.ca_file = std::move(ca);
  return provider;
}

void know(Client& client, const std::string& host) {
  client.names->answers[host] = {{asio::ip::address_v4::loopback()}, 60s, {}};
}

}  // namespace

TEST_CASE("a private CA is believed for the names it vouches for") {
  const Certificates files("DNS:provider.test,IP:127.0.0.1");
  Client client;
  know(client, "provider.test");
  know(client, "other.test");
  Server server(client.io, answer_all, server_context(files));
  for (const char* host : {"provider.test", "127.0.0.1"}) {
    CAPTURE(host);
    const Seen seen = ask(client, tls_provider(server, host, files.ca()));
    CHECK_FALSE(seen.error);
    CHECK(seen.body == "secret");
  }
  const Seen wrong = ask(client, tls_provider(server, "other.test", files.ca()));
  REQUIRE(wrong.error);
  CHECK(wrong.error->kind == ErrorKind::upstream_error);
  CHECK(wrong.error->message.find("hostname mismatch") != std::string::npos);
  const Seen unknown = ask(client, tls_provider(server, "127.0.0.1", ""));
  REQUIRE(unknown.error);
  CHECK(unknown.error->message.find("TLS: ") != std::string::npos);
  CHECK(unknown.error->message.find("certificate") != std::string::npos);
  auto trusting = tls_provider(server, "other.test", "");
  trusting.tls.verify = false;
  CHECK(ask(client, trusting).body == "secret");
  const Seen no_file = ask(client, tls_provider(server, "127.0.0.1", "/nowhere/ca.pem"));
  REQUIRE(no_file.error);
  CHECK(no_file.error->detail.find("/nowhere/ca.pem") != std::string::npos);
  CHECK(client.stats().open == client.stats().idle);
}

TEST_CASE("connections of different TLS settings are not mixed") {
  const Certificates files("IP:127.0.0.1");
  Client client;
  Server server(client.io, answer_all, server_context(files));
  auto provider = tls_provider(server, "127.0.0.1", "");
  provider.tls.verify = false;
  CHECK(ask(client, provider).body == "secret");
  CHECK(client.stats().idle == 1);
  provider.tls.verify = true;
  CHECK(ask(client, provider).error);
}

TEST_CASE("the second handshake resumes the first one's session") {
  const Certificates files("IP:127.0.0.1");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    Client client;
    const SslContext context = server_context(files);
    SSL_CTX_set_max_proto_version(context.get(), version);
    Server server(client.io, answer_once, context);
    const auto provider = tls_provider(server, "127.0.0.1", files.ca());
    for (int i = 0; i < 3; ++i)
      CHECK(ask(client, provider).body == "secret");
    CHECK(client.stats().tls_handshakes == 3);
    CHECK(client.stats().tls_resumed == 2);
  }
}

TEST_CASE("a reply that TLS cuts is only good when its length says so") {
  const Certificates files("IP:127.0.0.1");
  struct Row {
    std::string reply;
    bool fine;
  };
  const std::string open_end = "HTTP/1.1 200 OK\r\n\r\nhalf";
  for (const Row& row : {Row{sized("secret"), true}, Row{open_end, false}}) {
    Client client;
    Server server(
        client.io,
        [&row](Talk& talk) -> Awaitable<void> {
          co_await talk.request();
          co_await talk.say(row.reply);  // and the connection ends without close_notify
        },
        server_context(files));
    const Seen seen = ask(client, tls_provider(server, "127.0.0.1", files.ca()));
    CHECK(seen.error.has_value() != row.fine);
    CHECK_FALSE(seen.body.empty());
  }
}

TEST_CASE("large bodies both ways through TLS, kept alive") {
  const Certificates files("IP:127.0.0.1");
  Client client;
  const std::string body(2'000'000, 'x');
  Server server(
      client.io,
      [&body](Talk& talk) -> Awaitable<void> {
        for (;;) {
          const std::string request = co_await talk.request();
          if (request.empty()) co_return;
          CHECK(request.ends_with(body));
          co_await talk.say(sized(body));
        }
      },
      server_context(files));
  const auto provider = tls_provider(server, "127.0.0.1", files.ca());
  CHECK(ask(client, provider, {.body = body}).body == body);
  const Seen again = ask(client, provider, {.body = body});
  CHECK(again.body == body);
  CHECK(again.reused);
  CHECK(server.accepted() == 1);
}

TEST_CASE("a server context keeps its certificate when new files are wrong") {
  const Certificates files("IP:127.0.0.1");
  const Certificates others("IP:127.0.0.1");
  TlsServerContext context;
  REQUIRE(context.load(files.certificate(), files.key()));
  const SslContext before = context.current();
  const auto mixed = context.load(files.certificate(), others.key());
  REQUIRE_FALSE(mixed);
  CHECK(mixed.error().message.find(others.key()) != std::string::npos);
  CHECK_FALSE(context.load("/nowhere/tls.crt", files.key()));
  CHECK(context.current() == before);
  CHECK(context.load(others.certificate(), others.key()));
  CHECK(context.current() != before);
}
