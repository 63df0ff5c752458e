// An abort ends every kind of wait at once, with the slot's reason, and closes the connection.
#include "client_support.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

/// Starts an exchange, aborts it when `reached`, and expects the slot's reason.
void abort_when(Client& client, const routing::ProviderEntry& provider,
                std::function<bool()> reached, Ask how = {}) {
  client.run([&]() -> Awaitable<void> {
    AbortSlot slot;
    std::optional<Seen> seen;
    spawn(client.io, exchange(client, provider, how, slot),
          [&](std::exception_ptr, Seen done) { seen = std::move(done); });
    CHECK(co_await until(reached));
    slot.abort(make_error(ErrorKind::client_gone, "gone"));
    CHECK(co_await until([&] { return seen.has_value(); }));
    REQUIRE(seen->error);
    CHECK(seen->error->kind == ErrorKind::client_gone);
  }());
  CHECK(client.stats().open == 0);
}

/// A server whose script says `text` to a request and notes when it came.
struct Hanging {
  Hanging(Client& client, std::string text)
      : server(client.io, [this, text](Talk& talk) -> Awaitable<void> {
          co_await talk.request();
          co_await talk.say(text);
          asked = true;
          co_await talk.wait_closed();
        }) {}
  bool asked = false;
  Server server;
};

}  // namespace

TEST_CASE("abort before anything") {
  Client client;
  Server server(client.io, [](Talk&) -> Awaitable<void> { co_return; });
  abort_when(client, provider_at(server.port()), [] { return true; });
  AbortSlot slot;
  slot.abort(make_error(ErrorKind::draining, "bye"));
  client.run([&]() -> Awaitable<void> {
    const Seen seen = co_await exchange(client, provider_at(server.port()), {}, slot);
    REQUIRE(seen.error);
    CHECK(seen.error->kind == ErrorKind::draining);
  }());
}

TEST_CASE("abort while the name is asked for") {
  Client client;
  abort_when(client, provider_at(80, false, "slow.test"),
             [&] { return client.names->asked["slow.test"] == 1; });
}

TEST_CASE("abort while connecting: nobody accepts") {
  Client client;
  tcp::acceptor full(client.io, {asio::ip::address_v4::loopback(), 0});
  full.listen(0);
  const auto where = full.local_endpoint();
  std::vector<tcp::socket> fill;
  for (int i = 0; i < 4; ++i) {  // once the backlog is full, the kernel drops what knocks
    fill.emplace_back(client.io);
    fill.back().async_connect(where, [](boost::system::error_code) {});
  }
  int turns = 0;
  abort_when(client, provider_at(where.port()), [&] { return ++turns > 20; });
}

TEST_CASE("abort in the TLS handshake") {
  Client client;
  bool begun = false;
  Server server(client.io, [&](Talk& talk) -> Awaitable<void> {
    std::array<char, 1> first;
    co_await talk.stream->read_some(first);
    begun = true;
    co_await talk.wait_closed();
  });
  abort_when(client, provider_at(server.port(), true), [&] { return begun; });
  client.run(
      [&]() -> Awaitable<void> { CHECK(co_await until([&] { return server.ended() == 1; })); }());
}

TEST_CASE("abort while writing to a peer that does not read") {
  Client client;
  bool begun = false;
  Server server(client.io, [&](Talk& talk) -> Awaitable<void> {
    std::array<char, 1> first;
    co_await talk.stream->read_some(first);
    begun = true;
    asio::steady_timer never_reads(client.io, 1h);
    co_await never_reads.async_wait(as_task);
  });
  abort_when(client, provider_at(server.port()), [&] { return begun; },
             {.body = std::string(20'000'000, 'x')});
}

TEST_CASE("abort while waiting for the head, within it, and within each body") {
  for (const char* said :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\n\r\nabc"}) {
    CAPTURE(said);
    Client client;
    Hanging hanging(client, said);
    abort_when(client, provider_at(hanging.server.port()), [&] { return hanging.asked; });
    // The peer sees the end at once.
    client.run([&]() -> Awaitable<void> {
      CHECK(co_await until([&] { return hanging.server.ended() == 1; }));
    }());
  }
}

TEST_CASE("close() ends a pending wait; dropping a reply closes the connection") {
  Client client;
  Hanging hanging(client, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
  const auto provider = provider_at(hanging.server.port());
  client.run([&]() -> Awaitable<void> {
    routing::HttpRequest http;
    AbortSlot slot;
    for (const bool by_close : {true, false}) {
      auto reply = co_await client.upstreams->send({provider, http, false, never, slot});
      REQUIRE(reply);
      REQUIRE(co_await (*reply)->await_head(never));
      CHECK((co_await (*reply)->read(never))->bytes == "abc");
      if (by_close) {
        asio::post(client.io, [&reply] { (*reply)->close(); });
        CHECK_FALSE(co_await (*reply)->read(never));
        CHECK_FALSE(co_await (*reply)->read(never));
      }
      reply->reset();
      CHECK(client.stats().open == 0);
    }
    CHECK(co_await until([&] { return hanging.server.ended() == 2; }));
  }());
}
