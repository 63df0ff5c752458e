// TLS in front: handshake, requests, resumption, reload of the certificate, clients that do not
// play along.
#include <array>
#include <doctest/doctest.h>

#include "client_certificates.hpp"
#include "server_fixture.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;
using namespace std::chrono_literals;

namespace {

using boost::asio::ip::tcp;

std::shared_ptr<TlsClientContext> trusting(const Certificates& certificates) {
  routing::TlsSettings settings;
  settings.ca_file = certificates.ca();
  auto context = TlsClientContext::make(settings);
  REQUIRE(context.has_value());
  return *context;
}

/// A TLS client; null when the handshake failed.
Awaitable<std::unique_ptr<TlsStream>> dial(Server& server,
                                           std::shared_ptr<TlsClientContext> context) {
  tcp::socket socket(server.io);
  co_await socket.async_connect(server.endpoint(), as_task);
  auto stream = tls_client_stream(std::make_unique<Descriptor>(std::move(socket)),
                                  std::move(context), "tollgate.test", server.endpoint().port());
  const IoResult shaken = co_await stream->handshake();
  if (shaken.status != IoStatus::ok) stream.reset();
  co_return stream;
}

/// Sends `request` and reads until what came ends with `until` (or the server ended).
Awaitable<std::string> ask(Stream& stream, std::string_view request, std::string_view until) {
  const std::array parts{request};
  co_await stream.write_all(parts);
  std::string all;
  std::array<char, 16384> block{};
  while (!all.ends_with(until)) {
    const IoResult got = co_await stream.read_some(block);
    if (got.status != IoStatus::ok) break;
    all.append(block.data(), got.bytes);
  }
  co_return all;
}

}  // namespace

TEST_CASE("tls: requests, large bodies, resumption; an orderly end") {
  const Certificates certificates("DNS:tollgate.test");
  TlsServerContext tls;
  REQUIRE(tls.load(certificates.certificate(), certificates.key()).has_value());
  Server server({}, &tls);
  const auto context = trusting(certificates);
  server.play([&]() -> Awaitable<void> {
    auto stream = co_await dial(server, context);
    REQUIRE(stream);
    CHECK_FALSE(stream->resumed());
    for (const std::size_t size : {10UL, 5000UL, 1'000'000UL}) {
      const std::string body = std::string(size, 'b') + "end";
      const std::string reply = co_await ask(*stream, post("/x", body), "end");
      CHECK(reply.ends_with("POST /x " + body));
    }
    CHECK(server.front.opened.back()->tls);
    auto second = co_await dial(server, context);
    REQUIRE(second);
    CHECK(second->resumed());
    const std::string last =
        co_await ask(*second, "GET /y HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n", "GET /y ");
    CHECK(last.ends_with("GET /y "));
    std::array<char, 16> block{};
    CHECK((co_await second->read_some(block)).status == IoStatus::eof);
  });
}

TEST_CASE("tls: a hang-up is seen") {
  const Certificates certificates("DNS:tollgate.test");
  TlsServerContext tls;
  REQUIRE(tls.load(certificates.certificate(), certificates.key()).has_value());
  Server server({}, &tls);
  server.front.scripts["/wait"] = [](Served& request, RequestBody&,
                                     ReplyWriter&) -> Awaitable<void> {
    if (!request.left) co_await request.leaving.wait();
  };
  server.play([&]() -> Awaitable<void> {
    std::size_t asked = 0;
    for (const bool orderly : {true, false}) {
      auto stream = co_await dial(server, trusting(certificates));
      REQUIRE(stream);
      const std::string request = get("/wait");
      const std::array parts{std::string_view(request)};
      co_await stream->write_all(parts);
      co_await server.front.until_opened(++asked);
      if (orderly) stream->shutdown_send();
      stream->close();
      while (server.shared.connections > 0)
        co_await server.settle();
      REQUIRE(server.front.opened.back()->left.has_value());
      CHECK(server.front.opened.back()->left->kind == ErrorKind::client_gone);
    }
  });
}

TEST_CASE("tls: a reload changes the certificate of new connections only; errors keep the old") {
  const Certificates before("DNS:tollgate.test");
  const Certificates after("DNS:tollgate.test");
  TlsServerContext tls;
  REQUIRE(tls.load(before.certificate(), before.key()).has_value());
  Server server({}, &tls);
  server.play([&]() -> Awaitable<void> {
    auto running = co_await dial(server, trusting(before));
    REQUIRE(running);
    CHECK_FALSE(tls.load("/nonexistent.pem", after.key()).has_value());
    CHECK_FALSE(tls.load(after.certificate(), before.key()).has_value());
    CHECK(co_await dial(server, trusting(before)) != nullptr);

    REQUIRE(tls.load(after.certificate(), after.key()).has_value());
    CHECK(co_await dial(server, trusting(before)) == nullptr);
    CHECK(co_await dial(server, trusting(after)) != nullptr);
    CHECK((co_await ask(*running, get("/a"), "GET /a ")).ends_with("GET /a "));
  });
}

TEST_CASE("tls: who speaks plain HTTP or says nothing is let go within the header time") {
  const Certificates certificates("DNS:tollgate.test");
  TlsServerContext tls;
  REQUIRE(tls.load(certificates.certificate(), certificates.key()).has_value());
  ServerSettings settings;
  settings.timeouts.header = 50ms;
  Server server(settings, &tls);
  server.play([&]() -> Awaitable<void> {
    Client plain = server.client();
    co_await plain.connect(server.endpoint());
    co_await plain.send(get("/x"));
    CHECK((co_await plain.rest()).find("HTTP/1.1 200") == std::string::npos);
    Client silent = server.client();
    co_await silent.connect(server.endpoint());
    CHECK((co_await silent.rest()).empty());
    CHECK(server.front.opened.empty());
  });
}
