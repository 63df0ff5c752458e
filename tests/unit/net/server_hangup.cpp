// Clients that go away or do not read, at every stage of a request.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include "server_fixture.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;
using namespace std::chrono_literals;

namespace {

/// Waits until it is told to leave, then ends without an answer.
ScriptedFront::Script waits_to_leave() {
  return [](Served& request, RequestBody&, ReplyWriter&) -> Awaitable<void> {
    if (!request.left) co_await request.leaving.wait();
  };
}

void reset_on_close(Client& client) {
  client.socket().set_option(boost::asio::socket_base::linger(true, 0));
  client.socket().close();
}

}  // namespace

TEST_CASE("hang-up before a reply: the request is told at once, by FIN, by half a FIN, by RST") {
  Server server;
  server.front.scripts["/wait"] = waits_to_leave();
  server.play([&]() -> Awaitable<void> {
    const std::vector<std::function<void(Client&)>> ways{
        [](Client& client) { client.socket().close(); },
        [](Client& client) { client.socket().shutdown(boost::asio::socket_base::shutdown_send); },
        reset_on_close,
    };
    std::size_t asked = 0;
    for (const auto& hang_up : ways) {
      Client client = server.client();
      co_await client.connect(server.endpoint());
      co_await client.send(post("/wait", "body"));
      co_await server.front.until_opened(++asked);
      const auto request = server.front.opened.back();
      CHECK_FALSE(request->left.has_value());
      hang_up(client);
      if (!request->left) {
        co_await server.settle();
      }
      while (server.shared.connections > 0)
        co_await server.settle();
      REQUIRE(request->left.has_value());
      CHECK(request->left->kind == ErrorKind::client_gone);
    }
  });
}

TEST_CASE("hang-up while the body is being read is client_gone") {
  Server server;
  std::vector<ErrorKind> seen;
  server.front.scripts["/body"] = [&](Served&, RequestBody& body, ReplyWriter&) -> Awaitable<void> {
    auto bytes = co_await body.read(1U << 20U);
    seen.push_back(bytes ? ErrorKind::internal : bytes.error().kind);
  };
  server.play([&]() -> Awaitable<void> {
    std::size_t asked = 0;
    for (const std::size_t length : {100UL, 100'000UL}) {
      Client client = server.client();
      co_await client.connect(server.endpoint());
      co_await client.send(post("/body", std::string(length, 'a')).substr(0, 90));
      co_await server.front.until_opened(++asked);
      client.socket().close();
      while (server.shared.connections > 0)
        co_await server.settle();
    }
    CHECK(seen == std::vector{ErrorKind::client_gone, ErrorKind::client_gone});
  });
}

TEST_CASE("hang-up during a stream: leave is called and the next write fails") {
  Server server;
  bool write_failed = false;
  server.front.scripts["/stream"] = [&](Served& request, RequestBody&,
                                        ReplyWriter& writer) -> Awaitable<void> {
    writer.begin({});
    Pieces piece;
    piece.view("data");
    CHECK((co_await writer.write(piece)).has_value());
    co_await request.leaving.wait();
    const auto written = co_await writer.write(piece);
    write_failed = !written && written.error().kind == ErrorKind::client_gone;
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(get("/stream"));
    CHECK((co_await client.reply(true)).status == 200);
    client.socket().close();
    while (server.shared.connections > 0)
      co_await server.settle();
    CHECK(write_failed);
    CHECK(server.front.opened.back()->left->kind == ErrorKind::client_gone);
  });
}

TEST_CASE("hang-up is seen behind pipelined bytes") {
  Server server;
  server.front.scripts["/wait"] = waits_to_leave();
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(get("/wait") + get("/next"));
    co_await server.front.until_opened(1);
    client.socket().close();
    while (server.shared.connections > 0)
      co_await server.settle();
    CHECK(server.front.opened.size() == 1);
    CHECK(server.front.opened.back()->left.has_value());
  });
}

TEST_CASE("backpressure: a client that does not read makes the writer wait, then loses") {
  ServerSettings settings;
  settings.timeouts.write_idle = 100ms;
  Server server(settings);
  std::size_t writes = 0;
  std::optional<ErrorKind> ended;
  const std::string block(64 * 1024, 'x');
  server.front.scripts["/flood"] = [&](Served&, RequestBody&,
                                       ReplyWriter& writer) -> Awaitable<void> {
    writer.begin({});
    Pieces piece;
    piece.view(block);
    for (; writes < 10'000; ++writes) {
      auto written = co_await writer.write(piece);
      if (written) continue;
      ended = written.error().kind;
      break;
    }
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(get("/flood"));
    while (server.shared.connections > 0)
      co_await server.settle();
    CHECK(ended == ErrorKind::client_gone);
    // What the kernel takes on loopback is some megabytes, never all 640.
    CHECK(writes < 1000);
  });
}

TEST_CASE("a slow reader that takes some now and then gets a large reply whole") {
  ServerSettings settings;
  settings.timeouts.write_idle = 2s;
  Server server(settings);
  const std::string large(12'000'000, 'y');
  server.front.scripts["/large"] = [&](Served&, RequestBody&,
                                       ReplyWriter& writer) -> Awaitable<void> {
    Pieces body;
    body.view(large);
    CHECK((co_await writer.whole({}, body)).has_value());
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(get("/large"));
    CHECK((co_await client.reply()).body == large);
    co_await client.send(get("/after"));
    CHECK((co_await client.reply()).status == 200);
  });
}

TEST_CASE("hang-up is seen when a full buffer of pipelined requests has been worked off") {
  Server server;
  server.front.scripts["/wait"] = waits_to_leave();
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    std::string all;
    int echoes = 0;
    while (all.size() < 30'000) {
      all += post("/x", std::string(1000, 'b'));
      ++echoes;
    }
    co_await client.send(all + get("/wait"));
    for (int i = 0; i < echoes; ++i)
      REQUIRE((co_await client.reply()).status == 200);
    while (server.front.opened.back()->path != "/wait")
      co_await server.settle();
    client.socket().close();
    while (server.shared.connections > 0)
      co_await server.settle();
    CHECK(server.front.opened.back()->left.has_value());
  });
}

TEST_CASE("an HTTP/1.0 stream that is not ended is reset, since its end would look proper") {
  Server server;
  server.front.scripts["/cut"] = [](Served&, RequestBody&, ReplyWriter& writer) -> Awaitable<void> {
    writer.begin({});
    Pieces piece;
    piece.view("half");
    co_await writer.write(piece);
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send("GET /cut HTTP/1.0\r\nhost: t\r\n\r\n");
    CHECK_FALSE(co_await client.closed_orderly());
  });
}

TEST_CASE("a request and the end of the client's side in one go: both are seen, in that order") {
  Server server;
  server.front.scripts["/wait"] = waits_to_leave();
  server.play([&]() -> Awaitable<void> {
    std::size_t asked = 0;
    for (const bool at_once : {true, false}) {
      for (int i = 0; i < 500; ++i) {
        Client client = server.client();
        co_await client.connect(server.endpoint());
        if (!at_once) co_await server.settle();
        const std::string request = post("/wait", "body");
        // Both before the server's loop turns.
        ::send(client.socket().native_handle(), request.data(), request.size(), MSG_NOSIGNAL);
        client.socket().shutdown(boost::asio::socket_base::shutdown_send);
        co_await server.front.until_opened(++asked);
        while (server.shared.connections > 0)
          co_await server.settle();
        REQUIRE(server.front.opened.back()->left.has_value());
      }
    }
  });
}

TEST_CASE("a client that asks, ends its side and listens gets an answer that needs no waiting") {
  Server server;
  server.front.scripts["/now"] = [](Served&, RequestBody&, ReplyWriter& writer) -> Awaitable<void> {
    Pieces body;
    body.view("now");
    co_await writer.whole({}, body);
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    const std::string request = get("/now");
    ::send(client.socket().native_handle(), request.data(), request.size(), MSG_NOSIGNAL);
    client.socket().shutdown(boost::asio::socket_base::shutdown_send);
    CHECK((co_await client.rest()).ends_with("now"));
  });
}
