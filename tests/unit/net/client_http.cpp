// The upstream client on replies as they should be: framings, reuse, heads, compression.
#include <zlib.h>

#include "client_support.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

/// Answers every request on a connection with `reply`.
Server::Script always(std::string reply) {
  return [reply](Talk& talk) -> Awaitable<void> {
    while (!(co_await talk.request()).empty())
      co_await talk.say(reply);
  };
}

/// Answers the first request with `reply`, in pieces of which each is on its way alone, and closes.
Server::Script in_pieces(std::vector<std::string> pieces) {
  return [pieces](Talk& talk) -> Awaitable<void> {
    co_await talk.request();
    for (const std::string& piece : pieces) {
      co_await talk.say(piece);
      asio::steady_timer pause(test_loop(), 1ms);
      co_await pause.async_wait(as_task);
    }
  };
}

constexpr std::string_view chunked_reply =
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\ntrailer: 1\r\n\r\n";

std::string gzipped(std::string_view text) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(text.size() + 100, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace

TEST_CASE("the request carries what it must and nothing else") {
  Client client;
  std::string got;
  Server server(client.io, [&](Talk& talk) -> Awaitable<void> {
    got = co_await talk.request();
    co_await talk.say(sized("ok"));
    co_await talk.wait_closed();
  });
  const auto provider = provider_at(server.port());
  const Seen seen = ask(client, provider,
                        {.body = "{\"a\":1}",
                         .path = "/v1/chat?x=1",
                         .headers = {{"content-type", "application/json"},
                                     {"Host", "evil"},
                                     {"authorization", "Bearer a\r\nx-evil: 1"},
                                     {"Transfer-Encoding", "chunked"}}});
  CHECK(seen.status == 200);
  CHECK(seen.body == "ok");
  const std::string port = std::to_string(server.port());
  CHECK(got == "POST /v1/chat?x=1 HTTP/1.1\r\nhost: 127.0.0.1:" + port +
                   "\r\ncontent-type: application/json\r\nauthorization: Bearer a  x-evil: 1\r\n"
                   "user-agent: tollgate\r\ncontent-length: 7\r\naccept-encoding: identity\r\n"
                   "connection: keep-alive\r\n\r\n{\"a\":1}");
}

TEST_CASE("a kept connection is used again, the latest first") {
  Client client;
  Server server(client.io, [](Talk& talk) -> Awaitable<void> {
    while (!(co_await talk.request()).empty())
      co_await talk.say(sized(std::to_string(talk.number)));
  });
  const auto provider = provider_at(server.port());
  client.run([&]() -> Awaitable<void> {
    routing::HttpRequest http;
    http.body.view("x");
    AbortSlot slot;
    auto first = co_await client.upstreams->send({provider, http, false, never, slot});
    auto second = co_await client.upstreams->send({provider, http, false, never, slot});
    REQUIRE(first);
    REQUIRE(second);
    // The second ends first and so lies below the first in the pool.
    for (auto* reply : {second->get(), first->get()}) {
      REQUIRE(co_await reply->await_head(never));
      while ((co_await reply->read(never))->what != routing::ReadStep::What::end) {
      }
    }
    const Seen third = co_await exchange(client, provider);
    CHECK(third.reused);
    CHECK(third.body == "1");
  }());
  CHECK(server.accepted() == 2);
  CHECK(client.stats().connects == 2);
  CHECK(client.stats().reused == 1);
  CHECK(client.stats().idle == 2);
  client.upstreams->close();
  CHECK(client.stats().open == 0);
  CHECK(client.stats().idle == 0);
}

TEST_CASE("every framing, and what it does to the connection") {
  struct Row {
    std::string reply, body;
    bool kept;
  };
  const std::vector<Row> rows{
      {sized("abc"), "abc", true},
      {sized(""), "", true},
      {"HTTP/1.1 204 No Content\r\n\r\n", "", true},
      {std::string(chunked_reply), "hello, world", true},
      {sized("abc", "connection: close\r\n"), "abc", false},
      {sized("abc", "keep-alive: timeout=1\r\n"), "abc", false},
      {sized("abc", "keep-alive: timeout=30\r\n"), "abc", true},
      {sized("abc") + "left over", "abc", false},
      {"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabc", "abc", false},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + sized("abc"),
       "abc", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reply);
    Client client;
    Server server(client.io, always(row.reply));
    const Seen seen = ask(client, provider_at(server.port()));
    CHECK_FALSE(seen.error);
    CHECK(seen.body == row.body);
    CHECK(client.stats().idle == (row.kept ? 1 : 0));
    CHECK(client.stats().open == (row.kept ? 1 : 0));
  }
}

TEST_CASE("a body until close ends with the connection") {
  Client client;
  Server server(client.io, in_pieces({"HTTP/1.1 200 OK\r\n\r\nab", "cd", "ef"}));
  const Seen seen = ask(client, provider_at(server.port()));
  CHECK_FALSE(seen.error);
  CHECK(seen.body == "abcdef");
  CHECK(client.stats().open == 0);
}

TEST_CASE("a chunked reply cut in two at every place") {
  for (std::size_t at = 1; at < chunked_reply.size(); ++at) {
    CAPTURE(at);
    Client client;
    Server server(client.io, in_pieces({std::string(chunked_reply.substr(0, at)),
                                        std::string(chunked_reply.substr(at))}));
    const Seen seen = ask(client, provider_at(server.port()));
    CHECK_FALSE(seen.error);
    CHECK(seen.body == "hello, world");
  }
}

TEST_CASE("a large body and a long head") {
  Client client;
  const std::string body(3'000'000, 'x');
  const std::string header = "x-long: " + std::string(40'000, 'h') + "\r\n";
  Server server(client.io, always(sized(body, header)));
  const Seen seen = ask(client, provider_at(server.port()), {.body = body});
  CHECK_FALSE(seen.error);
  CHECK(seen.body == body);
  CHECK(client.stats().idle == 1);
}

TEST_CASE("bytes that a caller keeps stay as they were") {
  Client client;
  Server server(client.io, in_pieces({"HTTP/1.1 200 OK\r\ncontent-length: 30000\r\n\r\n",
                                      std::string(15'000, 'a'), std::string(15'000, 'b')}));
  const auto provider = provider_at(server.port());
  client.run([&]() -> Awaitable<void> {
    routing::HttpRequest http;
    AbortSlot slot;
    auto reply = co_await client.upstreams->send({provider, http, false, never, slot});
    REQUIRE(reply);
    REQUIRE(co_await (*reply)->await_head(never));
    std::vector<routing::ReadStep> kept;
    for (;;) {
      auto step = co_await (*reply)->read(never);
      REQUIRE(step);
      if (step->what == routing::ReadStep::What::end) break;
      kept.push_back(std::move(*step));
    }
    std::string all;
    for (const routing::ReadStep& step : kept)
      all += step.bytes;
    CHECK(all == std::string(15'000, 'a') + std::string(15'000, 'b'));
  }());
}

TEST_CASE("a compressed reply is inflated, a broken or unknown one is an error") {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += std::to_string(i);
  const std::string packed = gzipped(text);
  struct Row {
    std::string reply;
    bool fine;
  };
  const std::vector<Row> rows{
      {sized(packed, "content-encoding: gzip\r\n"), true},
      {sized(packed.substr(0, packed.size() / 2), "content-encoding: gzip\r\n"), false},
      {sized("no gzip at all", "content-encoding: gzip\r\n"), false},
      {sized(packed, "content-encoding: br\r\n"), false},
  };
  for (const Row& row : rows) {
    Client client;
    Server server(client.io, always(row.reply));
    const Seen seen = ask(client, provider_at(server.port()));
    CHECK(seen.error.has_value() != row.fine);
    if (row.fine) CHECK(seen.body == text);
  }
}

TEST_CASE("a wait for the head or for bytes may end early and loses nothing") {
  Client client;
  Server server(client.io, [](Talk& talk) -> Awaitable<void> {
    co_await talk.request();
    asio::steady_timer pause(test_loop());
    for (const char* piece : {"HTTP/1.1 200 OK\r\ncontent-", "length: 6\r\n\r\nab", "cd", "ef"}) {
      pause.expires_after(25ms);
      co_await pause.async_wait(as_task);
      co_await talk.say(piece);
    }
    co_await talk.wait_closed();
  });
  const Seen seen = ask(client, provider_at(server.port()), {.patience = 5ms});
  CHECK_FALSE(seen.error);
  CHECK(seen.body == "abcdef");
  CHECK(seen.timeouts >= 2);
  CHECK(client.stats().idle == 1);
}
