// Requests in every shape: framing, keep-alive, pipelining, splits, and the replies to them.
#include <doctest/doctest.h>
#include <random>

#include "server_fixture.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

TEST_CASE("keep-alive: one connection serves one request after the other") {
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    for (int i = 0; i < 50; ++i) {
      co_await client.send(post("/echo", "hello " + std::to_string(i)));
      const Reply reply = co_await client.reply();
      REQUIRE(reply.status == 200);
      REQUIRE(reply.body == "POST /echo hello " + std::to_string(i));
      CHECK(reply.has("date: "));
      CHECK(reply.has("content-type: text/plain\r\n"));
      CHECK_FALSE(reply.has("connection:"));
    }
    CHECK(server.front.opened.front()->peer == "127.0.0.1");
    CHECK(server.shared.connections == 1);
  });
}

TEST_CASE("pipelining: three requests in one packet are answered in order") {
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(post("/a", "1") + get("/b") + post("/c", "3"));
    CHECK((co_await client.reply()).body == "POST /a 1");
    CHECK((co_await client.reply()).body == "GET /b ");
    CHECK((co_await client.reply()).body == "POST /c 3");
    co_await client.send(get("/d"));
    CHECK((co_await client.reply()).body == "GET /d ");
  });
}

TEST_CASE("pipelining: many requests of all sizes keep their bytes apart") {
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    std::string all;
    std::vector<std::string> bodies;
    for (std::size_t size : {0UL, 1UL, 100UL, 3000UL, 7000UL, 9000UL, 20000UL, 70000UL, 5UL}) {
      bodies.push_back(std::string(size, static_cast<char>('a' + bodies.size())));
      all += post("/x", bodies.back());
    }
    co_await client.send(all);
    for (const std::string& body : bodies) {
      const Reply reply = co_await client.reply();
      REQUIRE(reply.body == "POST /x " + body);
    }
  });
}

TEST_CASE("every split: a sized and a chunked request arrive in two pieces cut anywhere") {
  const std::string sized = post("/s", "0123456789");
  const std::string chunked =
      "POST /c HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n"
      "5\r\n01234\r\n5;x=y\r\n56789\r\n0\r\ntrailer: t\r\n\r\n";
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    for (const std::string& request : {sized, chunked}) {
      for (std::size_t cut = 1; cut < request.size(); ++cut) {
        co_await client.send(std::string_view(request).substr(0, cut));
        co_await server.settle();
        co_await client.send(std::string_view(request).substr(cut));
        const Reply reply = co_await client.reply();
        REQUIRE(reply.body.ends_with(" 0123456789"));
      }
    }
  });
}

TEST_CASE("a large sized and a large chunked body arrive whole") {
  std::string body;
  while (body.size() < 3'000'000)
    body += std::to_string(body.size()) + ",";
  std::string chunked = "POST /c HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 70001) {
    const std::string piece = body.substr(at, 70001);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    chunked += size + piece + "\r\n";
  }
  chunked += "0\r\n\r\n";
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    for (const std::string& request : {post("/s", body), chunked, post("/s", body)}) {
      co_await client.send(request);
      const Reply reply = co_await client.reply();
      REQUIRE(reply.body.size() == body.size() + 8);
      CHECK(reply.body.substr(8) == body);
      co_await server.settle();
      CHECK(server.shared.budget.used() == 0);
    }
  });
}

TEST_CASE("Expect: 100-continue is answered when the body is read, and only then") {
  Server server;
  server.front.scripts["/refused"] = [&](Served&, RequestBody&, ReplyWriter& writer) {
    return server.front.refuse(make_error(ErrorKind::invalid_api_key, "no"), writer);
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    const std::string request = post("/e", "12345", "expect: 100-continue\r\n");
    const std::size_t head = request.size() - 5;
    co_await client.send(request.substr(0, head));
    CHECK((co_await client.reply(true)).status == 100);
    co_await client.send(request.substr(head));
    CHECK((co_await client.reply()).body == "POST /e 12345");

    co_await client.send(
        "POST /refused HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\n"
        "content-length: 5\r\n\r\n");
    const Reply refused = co_await client.reply();
    CHECK(refused.status == 401);
    // Whether the body still comes nobody knows: nothing can follow.
    CHECK(refused.has("connection: close\r\n"));
    CHECK(co_await client.closed_orderly());
  });
}

TEST_CASE("HTTP/1.0: closes, or keeps when asked; streams end with the connection") {
  Server server;
  server.front.scripts["/stream"] = [](Served&, RequestBody&,
                                       ReplyWriter& writer) -> Awaitable<void> {
    writer.begin({});
    Pieces piece;
    piece.view("one");
    co_await writer.write(piece);
    co_await writer.write(piece);
    co_await writer.end();
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send("GET /a HTTP/1.0\r\nhost: t\r\nconnection: keep-alive\r\n\r\n");
    const Reply kept = co_await client.reply();
    CHECK(kept.body == "GET /a ");
    CHECK(kept.has("connection: keep-alive\r\n"));
    co_await client.send("GET /b HTTP/1.0\r\nhost: t\r\n\r\n");
    const Reply last = co_await client.reply();
    CHECK(last.body == "GET /b ");
    CHECK(last.has("connection: close\r\n"));
    CHECK(co_await client.closed_orderly());

    Client second = server.client();
    co_await second.connect(server.endpoint());
    co_await second.send("GET /stream HTTP/1.0\r\nhost: t\r\nconnection: keep-alive\r\n\r\n");
    const std::string all = co_await second.rest();
    CHECK(all.ends_with("\r\n\r\noneone"));
    CHECK(all.find("chunked") == all.npos);
    CHECK(all.find("connection: close\r\n") != all.npos);
  });
}

TEST_CASE("a 1.1 stream is chunked, its head leaves with the first write, then it is kept") {
  Server server;
  server.front.scripts["/stream"] = [](Served&, RequestBody&,
                                       ReplyWriter& writer) -> Awaitable<void> {
    ReplyHead head;
    head.add("content-type", "text/event-stream");
    CHECK_FALSE(writer.started());
    writer.begin(head);
    CHECK_FALSE(writer.started());
    Pieces piece;
    co_await writer.write(piece);
    CHECK(writer.started());
    piece.view("data: 1");
    piece.own("\n\n");
    co_await writer.write(piece);
    co_await writer.end();
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    for (int i = 0; i < 3; ++i) {
      co_await client.send(get("/stream"));
      const Reply reply = co_await client.reply();
      CHECK(reply.status == 200);
      CHECK(reply.body == "data: 1\n\n");
      CHECK(reply.has("transfer-encoding: chunked\r\n"));
    }
  });
}

TEST_CASE("a stream that is not ended is seen as broken by the client") {
  Server server;
  server.front.scripts["/broken"] = [](Served&, RequestBody&,
                                       ReplyWriter& writer) -> Awaitable<void> {
    writer.begin({});
    Pieces piece;
    piece.view("half");
    co_await writer.write(piece);
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(get("/broken"));
    const std::string all = co_await client.rest();
    CHECK(all.ends_with("4\r\nhalf\r\n"));
  });
}

TEST_CASE("a HEAD request's reply and a 204 have no body, and the next reply is found") {
  Server server;
  server.front.scripts["/none"] = [](Served&, RequestBody&,
                                     ReplyWriter& writer) -> Awaitable<void> {
    ReplyHead head;
    head.status = 204;
    co_await writer.whole(head, {});
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send("HEAD /h HTTP/1.1\r\nhost: t\r\n\r\n");
    const Reply head = co_await client.reply(true);
    CHECK(head.has("content-length: 8\r\n"));
    co_await client.send("OPTIONS /none HTTP/1.1\r\nhost: t\r\n\r\n");
    const Reply none = co_await client.reply();
    CHECK(none.status == 204);
    CHECK_FALSE(none.has("content-length"));
    co_await client.send(get("/after"));
    CHECK((co_await client.reply()).body == "GET /after ");
  });
}

TEST_CASE("empty lines between requests are skipped") {
  Server server;
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send("\r\n" + post("/a", "1") + "\r\n\r\n" + get("/b"));
    CHECK((co_await client.reply()).body == "POST /a 1");
    CHECK((co_await client.reply()).body == "GET /b ");
  });
}

TEST_CASE("any packets: a script of requests cut at random places is answered the same") {
  std::string all;
  std::vector<std::string> bodies;
  for (std::size_t size : {0UL, 10UL, 6000UL, 9000UL, 30'000UL, 1UL, 7100UL, 100UL}) {
    bodies.push_back(std::string(size, static_cast<char>('a' + bodies.size())));
    all += post("/x", bodies.back());
    char size_line[32];
    std::snprintf(size_line, sizeof size_line, "%zx\r\n", size + 3);
    bodies.push_back("any" + bodies.back());
    all += "POST /x HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n";
    all += size_line + bodies.back() + "\r\n0\r\n\r\n";
  }
  Server server;
  server.play([&]() -> Awaitable<void> {
    for (unsigned seed = 1; seed <= 30; ++seed) {
      CAPTURE(seed);
      std::mt19937 random(seed);
      std::uniform_int_distribution<std::size_t> length(1, seed % 3 == 0 ? 20'000 : 3000);
      Client client = server.client();
      co_await client.connect(server.endpoint());
      for (std::size_t at = 0; at < all.size();) {
        const std::string_view piece = std::string_view(all).substr(at, length(random));
        co_await client.send(piece);
        if (random() % 2 == 0) co_await server.settle();
        at += piece.size();
      }
      for (const std::string& body : bodies)
        REQUIRE((co_await client.reply()).body == "POST /x " + body);
    }
  });
}
