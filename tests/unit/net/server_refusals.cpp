// What is refused, how the refusal reaches its client, and what becomes of the connection.
#include <doctest/doctest.h>

#include "server_fixture.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

TEST_CASE("smuggling forms and noise get 400 and the connection's end") {
  const std::string line = "POST /x HTTP/1.1\r\n";
  const std::vector<std::string> forms{
      line + "host: t\r\ntransfer-encoding: gzip\r\ncontent-length: 1\r\n\r\n",
      line + "host: t\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
      line + "host: t\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
      line + "host: t\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      line + "host: t\r\ncontent-length: +1\r\n\r\na",
      line + "host: t\r\nhost: u\r\n\r\n",
      line + "\r\n",
      line + "host: t\r\nx-a: b\r\n folded\r\n\r\n",
      line + "host : t\r\n\r\n",
      "POST /x HTTP/1.0\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00", 5),
  };
  Server server;
  server.play([&]() -> Awaitable<void> {
    for (const std::string& form : forms) {
      CAPTURE(form);
      Client client = server.client();
      co_await client.connect(server.endpoint());
      co_await client.send(form + get("/smuggled"));
      const Reply reply = co_await client.reply();
      CHECK(reply.status == 400);
      CHECK(reply.has("connection: close\r\n"));
      client.socket().shutdown(boost::asio::socket_base::shutdown_send);
      CHECK((co_await client.rest()).empty());
    }
    CHECK(server.front.opened.empty());
    CHECK(server.front.early.size() == forms.size());
  });
}

TEST_CASE("a bad chunk is 400 and the connection's end") {
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send("POST /x HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n" +
                         get("/smuggled"));
    const Reply reply = co_await client.reply();
    CHECK(reply.status == 400);
    CHECK(reply.has("connection: close\r\n"));
    CHECK(server.front.opened.size() == 1);
  });
}

TEST_CASE("431: a head above the limit, whole or endless; just below is fine") {
  ServerSettings settings;
  settings.limits.header_bytes.count = 10000;
  Server server(settings);
  server.play([&]() -> Awaitable<void> {
    const auto with_header = [](std::size_t bytes) {
      return "GET /h HTTP/1.1\r\nhost: t\r\nx-long: " + std::string(bytes, 'a') + "\r\n\r\n";
    };
    const std::size_t others = with_header(0).size();
    Client fits = server.client();
    co_await fits.connect(server.endpoint());
    for (int i = 0; i < 3; ++i) {
      co_await fits.send(with_header(10000 - others));
      CHECK((co_await fits.reply()).status == 200);
      co_await fits.send(post("/b", std::string(5000, 'b')));
      CHECK((co_await fits.reply()).status == 200);
    }
    for (const std::string& head : {with_header(10001 - others), std::string(50000, 'A')}) {
      Client client = server.client();
      co_await client.connect(server.endpoint());
      co_await client.send(head);
      const Reply reply = co_await client.reply();
      CHECK(reply.status == 431);
      CHECK(reply.has("connection: close\r\n"));
    }
    CHECK(server.front.early ==
          std::vector{ErrorKind::headers_too_large, ErrorKind::headers_too_large});
  });
}

TEST_CASE("413: by its length at once, by its chunks when they pass the limit") {
  Server server;
  server.front.body_limit = 1000;
  server.play([&]() -> Awaitable<void> {
    Client sized = server.client();
    co_await sized.connect(server.endpoint());
    co_await sized.send("POST /x HTTP/1.1\r\nhost: t\r\ncontent-length: 1001\r\n\r\n");
    const Reply first = co_await sized.reply();
    CHECK(first.status == 413);
    CHECK(first.has("connection: close\r\n"));

    Client chunked = server.client();
    co_await chunked.connect(server.endpoint());
    co_await chunked.send(
        "POST /x HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n"
        "3e8\r\n" +
        std::string(1000, 'a') + "\r\n");
    co_await server.settle();
    co_await chunked.send("1\r\nb\r\n");
    CHECK((co_await chunked.reply()).status == 413);
  });
}

TEST_CASE("503 overloaded when the process-wide limit on buffered bytes is used up") {
  Server server({}, nullptr, 300'000);
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    const std::string head = "POST /x HTTP/1.1\r\nhost: t\r\ncontent-length: 1000000\r\n\r\n";
    co_await client.send(head + std::string(200'000, 'a'));
    co_await server.settle();
    CHECK(server.shared.budget.used() > 0);
    co_await client.send(std::string(300'000, 'a'));
    const Reply reply = co_await client.reply();
    CHECK(reply.status == 503);
    CHECK(reply.body.starts_with("overloaded"));
    CHECK(reply.has("connection: close\r\n"));
  });
}

TEST_CASE("a refusal without reading keeps the connection when the body lies here already") {
  Server server;
  server.front.scripts["/refused"] = [&](Served&, RequestBody&, ReplyWriter& writer) {
    return server.front.refuse(make_error(ErrorKind::invalid_api_key, "no"), writer);
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(post("/refused", "small body"));
    CHECK((co_await client.reply()).status == 401);
    co_await client.send(
        "POST /refused HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n");
    CHECK((co_await client.reply()).status == 401);
    co_await client.send(get("/after"));
    CHECK((co_await client.reply()).body == "GET /after ");
  });
}

TEST_CASE("lingering close: a refusal reaches a client that is still sending") {
  Server server;
  server.front.scripts["/refused"] = [&](Served&, RequestBody&, ReplyWriter& writer) {
    return server.front.refuse(make_error(ErrorKind::invalid_api_key, "no"), writer);
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send("POST /refused HTTP/1.1\r\nhost: t\r\ncontent-length: 60000\r\n\r\n");
    co_await client.send(std::string(10'000, 'a'));
    co_await server.settle();
    co_await client.send(std::string(50'000, 'a'));
    const Reply reply = co_await client.reply();
    CHECK(reply.status == 401);
    CHECK(reply.has("connection: close\r\n"));
    CHECK(co_await client.closed_orderly());
  });
}

TEST_CASE("a bug in the application ends its connection and no other") {
  Server server;
  server.front.scripts["/bug"] = [](Served&, RequestBody&, ReplyWriter&) -> Awaitable<void> {
    throw std::runtime_error("a bug that the test wants");
    co_return;
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    Client other = server.client();
    co_await client.connect(server.endpoint());
    co_await other.connect(server.endpoint());
    co_await client.send(get("/bug"));
    CHECK((co_await client.rest()).empty());
    co_await other.send(get("/fine"));
    CHECK((co_await other.reply()).status == 200);
  });
}
