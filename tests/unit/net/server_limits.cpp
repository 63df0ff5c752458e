// Time and room: slow clients, the connection limit, descriptors, the drain, the port.
#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server_fixture.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;
using namespace std::chrono_literals;

TEST_CASE("408: a head that began and stays away; silence where nothing came") {
  ServerSettings settings;
  settings.timeouts.header = 50ms;
  Server server(settings);
  server.play([&]() -> Awaitable<void> {
    Client begun = server.client();
    co_await begun.connect(server.endpoint());
    co_await begun.send("POST /x HTTP/1.1\r\nhost");
    const Reply reply = co_await begun.reply();
    CHECK(reply.status == 408);
    CHECK(reply.has("connection: close\r\n"));
    Client silent = server.client();
    co_await silent.connect(server.endpoint());
    CHECK((co_await silent.rest()).empty());
    CHECK(server.front.early == std::vector{ErrorKind::request_timeout});
  });
}

TEST_CASE("408: the time for a head is one time, however its bytes trickle") {
  ServerSettings settings;
  settings.timeouts.header = 100ms;
  Server server(settings);
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send("GET /x HTTP/1.1\r\nhost: t\r\nx-a: ");
    bool answered = false;
    auto read = [&]() -> Awaitable<void> {
      CHECK((co_await client.reply()).status == 408);
      answered = true;
    };
    spawn(server.io, read(), ignore);
    boost::asio::steady_timer pause(server.io);
    while (!answered) {
      co_await client.send("a");
      pause.expires_after(5ms);
      co_await pause.async_wait(as_task);
    }
    CHECK(server.front.opened.empty());
  });
}

TEST_CASE("408: a body that stops; the idle time counts from the last byte") {
  ServerSettings settings;
  settings.timeouts.body_idle = 50ms;
  Server server(settings);
  server.play([&]() -> Awaitable<void> {
    for (const std::size_t length : {100UL, 100'000UL}) {
      Client client = server.client();
      co_await client.connect(server.endpoint());
      co_await client.send(post("/x", std::string(length, 'a')).substr(0, 90));
      const Reply reply = co_await client.reply();
      CHECK(reply.status == 408);
      CHECK(reply.has("connection: close\r\n"));
      CHECK(reply.body.starts_with("request_timeout"));
    }
  });
}

TEST_CASE("an idle connection is closed without a word after keep_alive") {
  ServerSettings settings;
  settings.timeouts.keep_alive = 50ms;
  Server server(settings);
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(get("/a"));
    CHECK((co_await client.reply()).status == 200);
    CHECK((co_await client.rest()).empty());
    CHECK(server.front.early.empty());
  });
}

TEST_CASE("beyond the connection limit: 503 overloaded, retry-after and the end") {
  ServerSettings settings;
  settings.limits.connections = 2;
  Server server(settings);
  server.play([&]() -> Awaitable<void> {
    Client first = server.client();
    Client second = server.client();
    Client third = server.client();
    for (Client* client : {&first, &second}) {
      co_await client->connect(server.endpoint());
      co_await client->send(get("/in"));
      CHECK((co_await client->reply()).status == 200);
    }
    co_await third.connect(server.endpoint());
    co_await third.send(post("/out", "body"));
    const Reply refused = co_await third.reply();
    CHECK(refused.status == 503);
    CHECK(refused.has("retry-after: 1\r\n"));
    CHECK(refused.has("connection: close\r\n"));
    CHECK(refused.body.starts_with("overloaded"));
    first.socket().close();
    third.socket().close();
    while (server.shared.connections > 1)
      co_await server.settle();
    Client fourth = server.client();
    co_await fourth.connect(server.endpoint());
    co_await fourth.send(get("/in"));
    CHECK((co_await fourth.reply()).status == 200);
    CHECK(server.front.opened.size() == 3);
  });
}

TEST_CASE("drain: idle connections close, a running request ends with Connection: close") {
  Server server;
  Signal go;
  server.front.scripts["/slow"] = [&](Served&, RequestBody&,
                                      ReplyWriter& writer) -> Awaitable<void> {
    co_await go.wait();
    Pieces body;
    body.view("done");
    co_await writer.whole({}, body);
  };
  server.play([&]() -> Awaitable<void> {
    Client idle = server.client();
    Client running = server.client();
    Client waiting = server.client();
    co_await idle.connect(server.endpoint());
    co_await idle.send(get("/a"));
    co_await idle.reply();
    co_await running.connect(server.endpoint());
    co_await running.send(get("/slow") + get("/never"));
    co_await server.front.until_opened(2);
    // Connected, perhaps not accepted yet: it is served all the same.
    co_await waiting.connect(server.endpoint());

    bool all_gone = false;
    server.listener.drain([&] { all_gone = true; });
    CHECK((co_await idle.rest()).empty());
    co_await waiting.send(get("/late"));
    const Reply late = co_await waiting.reply();
    CHECK(late.status == 200);
    CHECK(late.has("connection: close\r\n"));
    CHECK_FALSE(all_gone);
    go.notify();
    const Reply last = co_await running.reply();
    CHECK(last.body == "done");
    CHECK(last.has("connection: close\r\n"));
    running.socket().close();
    while (!all_gone)
      co_await server.settle();
    CHECK(server.listener.idle());
    Client refused = server.client();
    auto [failed] = co_await refused.socket().async_connect(server.endpoint(), as_task);
    CHECK(failed == boost::asio::error::connection_refused);
  });
}

TEST_CASE("the drain's end tells streams to leave, so that they can say why, and ends body reads") {
  Server server;
  std::optional<ErrorKind> body_error;
  server.front.scripts["/stream"] = [&](Served& request, RequestBody&,
                                        ReplyWriter& writer) -> Awaitable<void> {
    writer.begin({});
    Pieces piece;
    piece.view("one.");
    co_await writer.write(piece);
    co_await request.leaving.wait();
    piece.clear();
    piece.own(request.left->code);
    co_await writer.write(piece);
    co_await writer.end();
  };
  server.front.scripts["/body"] = [&](Served&, RequestBody& body,
                                      ReplyWriter& writer) -> Awaitable<void> {
    auto bytes = co_await body.read(1000);
    body_error = bytes.error().kind;
    co_await server.front.refuse(bytes.error(), writer);
  };
  server.play([&]() -> Awaitable<void> {
    Client stream = server.client();
    Client body = server.client();
    Client silent = server.client();
    co_await stream.connect(server.endpoint());
    co_await stream.send(get("/stream"));
    co_await server.front.until_opened(1);
    co_await body.connect(server.endpoint());
    co_await body.send(post("/body", "12345").substr(0, 57));
    co_await server.front.until_opened(2);
    co_await silent.connect(server.endpoint());
    server.listener.drain();
    server.listener.end(make_error(ErrorKind::draining, "The gateway stops."));
    CHECK((co_await stream.reply()).body == "one.draining");
    CHECK((co_await body.reply()).status == 503);
    CHECK(body_error == ErrorKind::draining);
    CHECK((co_await silent.rest()).empty());
  });
}

TEST_CASE("settings that a reload brought hold for the next request") {
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(get("/a"));
    CHECK((co_await client.reply()).status == 200);
    auto settings = std::make_shared<ServerSettings>();
    settings->limits.header_bytes.count = 100;
    server.listener.apply(settings);
    Client fresh = server.client();
    co_await fresh.connect(server.endpoint());
    co_await fresh.send("GET /" + std::string(200, 'a') + " HTTP/1.1\r\nhost: t\r\n\r\n");
    CHECK((co_await fresh.reply()).status == 431);
  });
}

TEST_CASE("a port in use, an impossible address and a bad name are one clear sentence each") {
  Server server;
  const auto port = server.endpoint().port();
  const auto taken = probe({"127.0.0.1", port});
  REQUIRE_FALSE(taken.has_value());
  CHECK(taken.error().message == "127.0.0.1:" + std::to_string(port) +
                                     " is in use by another process; stop it, or listen elsewhere");
  const auto nowhere = probe({"192.0.2.1", 0});
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(nowhere.error().message.ends_with("this machine has no such address"));
  CHECK_FALSE(probe({"no such name", 0}).has_value());
  CHECK(probe({"", 0}).has_value());
  CHECK(probe({"localhost", 0}).has_value());
}

TEST_CASE("without free descriptors accepting waits, and goes on when there are some") {
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    client.socket().open(boost::asio::ip::tcp::v4());
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int next = ::dup(0);
    ::close(next);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(next);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    co_await client.connect(server.endpoint());
    co_await client.send(get("/patience"));
    for (int i = 0; i < 50; ++i)
      co_await server.settle();
    const std::uint32_t accepted = server.shared.connections;
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(accepted == 0);
    CHECK((co_await client.reply()).status == 200);
  });
}
