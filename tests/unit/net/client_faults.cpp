// The upstream client against peers that fail, each at its own step. What is open must be closed
// afterwards, and each failure has its kind.
#include "client_support.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

/// Reads a request, says `text` and closes.
Server::Script say_and_close(std::string text) {
  return [text](Talk& talk) -> Awaitable<void> {
    co_await talk.request();
    co_await talk.say(text);
  };
}

/// Reads a request, says `text` and then nothing more.
Server::Script say_and_hang(std::string text) {
  return [text](Talk& talk) -> Awaitable<void> {
    co_await talk.request();
    co_await talk.say(text);
    co_await talk.wait_closed();
  };
}

void check_error(const Seen& seen, ErrorKind kind, std::string_view words) {
  REQUIRE(seen.error);
  CHECK(seen.error->kind == kind);
  CAPTURE(seen.error->message);
  CHECK(seen.error->message.find(words) != std::string::npos);
}

}  // namespace

TEST_CASE("nobody listens") {
  Client client;
  std::uint16_t port = 0;
  {
    const Server gone(client.io, say_and_close(""));
    port = gone.port();
  }
  const Seen seen = ask(client, provider_at(port));
  check_error(seen, ErrorKind::upstream_error, "provider acme: the connection failed");
  CHECK(seen.error->detail.find("refused") != std::string::npos);
  CHECK(seen.error->retry == Retry::same_or_other);
  CHECK(client.stats().connect_failures == 1);
  CHECK(client.stats().open == 0);
}

TEST_CASE("answers that are none") {
  struct Row {
    std::string reply, words;
  };
  const std::vector<Row> rows{
      {"", "closed before an answer"},
      {"SSH-2.0-OpenSSH\r\n", "no HTTP/1.1"},
      {"HTTP/2 200\r\n\r\n", "no HTTP/1.1"},
      {"HTTP/1.1 abc\r\n\r\n", "malformed"},
      {"HTTP/1.1 200 OK\r\ncontent-le", "cut within the answer's head"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "malformed"},
      {"HTTP/1.1 200 OK\r\nx: " + std::string(70'000, 'x'), "too large"},
      {"HTTP/1.1 307 Moved\r\nlocation: http://other/\r\ncontent-length: 0\r\n\r\n", "status 307"},
      {"HTTP/1.1 101 Switching\r\n\r\n", "interim"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    Client client;
    Server server(client.io, say_and_close(row.reply));
    check_error(ask(client, provider_at(server.port())), ErrorKind::upstream_error, row.words);
    CHECK(client.stats().open == 0);
    CHECK(server.accepted() == 1);
  }
}

TEST_CASE("endless interim answers are bounded") {
  Client client;
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "HTTP/1.1 102 Processing\r\n\r\n";
  Server server(client.io, say_and_hang(many));
  check_error(ask(client, provider_at(server.port())), ErrorKind::upstream_error, "interim");
}

TEST_CASE("a redirect names the provider's status for the log") {
  Client client;
  Server server(client.io, say_and_close(sized("", "location: /x\r\n", "302 Found")));
  const Seen seen = ask(client, provider_at(server.port()));
  REQUIRE(seen.error);
  CHECK(seen.error->upstream_status == 302);
}

TEST_CASE("a reset before the answer") {
  Client client;
  Server server(client.io, [](Talk& talk) -> Awaitable<void> {
    co_await talk.request();
    talk.reset();
  });
  check_error(ask(client, provider_at(server.port())), ErrorKind::upstream_error, "closed before");
  CHECK(server.accepted() == 1);
}

TEST_CASE("truncated and malformed bodies are cut streams, what came is delivered") {
  const std::string head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  struct Row {
    std::string reply, body;
  };
  const std::vector<Row> rows{
      {"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", "abc"},
      {"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", ""},
      {head + "5\r\nhello\r\n", "hello"},
      {head + "5\r\nhel", "hel"},
      {head + "5\r\nhello\r\n0\r\n", "hello"},
      {head + "5\r\nhello\r\nzz\r\n", "hello"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reply);
    Client client;
    Server server(client.io, say_and_close(row.reply));
    const Seen seen = ask(client, provider_at(server.port()));
    REQUIRE(seen.error);
    CHECK(seen.error->kind == ErrorKind::stream_cut);
    CHECK(seen.body == row.body);
    CHECK(client.stats().open == 0);
  }
}

TEST_CASE("a kept connection that died is replaced once, and only before an answer") {
  Client client;
  // The first connection answers once and dies at the second request: too late to be seen idle.
  Server server(client.io, [](Talk& talk) -> Awaitable<void> {
    co_await talk.request();
    co_await talk.say(sized(std::to_string(talk.number)));
    if (talk.number == 1) co_await talk.request();
    if (talk.number == 2) co_await talk.wait_closed();
  });
  const auto provider = provider_at(server.port());
  CHECK(ask(client, provider).body == "1");
  const Seen second = ask(client, provider);
  CHECK(second.body == "2");
  CHECK_FALSE(second.reused);
  CHECK(client.stats().replaced == 1);
  CHECK(server.accepted() == 2);
}

TEST_CASE("a fresh connection that dies is not replaced, nor one that had begun to answer") {
  Client client;
  Server server(client.io, [](Talk& talk) -> Awaitable<void> {
    if (talk.number > 1) co_return;
    co_await talk.request();
    co_await talk.say(sized("1"));
    co_await talk.request();
    co_await talk.say("HTTP/1.1 ");
  });
  const auto provider = provider_at(server.port());
  CHECK(ask(client, provider).body == "1");
  CHECK(ask(client, provider).error);
  CHECK(server.accepted() == 1);
  CHECK(ask(client, provider).error);
  CHECK(server.accepted() == 2);
  CHECK(client.stats().replaced == 0);
}

TEST_CASE("a kept connection that its peer closed is not tried") {
  Client client;
  Server server(client.io, [](Talk& talk) -> Awaitable<void> {
    co_await talk.request();
    co_await talk.say(sized("x"));
  });
  const auto provider = provider_at(server.port());
  CHECK(ask(client, provider).body == "x");
  client.run([&]() -> Awaitable<void> {
    CHECK(co_await until([&] { return server.ended() == 1; }));
    CHECK((co_await exchange(client, provider)).body == "x");
  }());
  CHECK(client.stats().reused == 0);
  CHECK(server.accepted() == 2);
}

TEST_CASE("an early answer to a long request is read, whether the peer closes or stops reading") {
  for (const bool closes : {true, false}) {
    CAPTURE(closes);
    Client client;
    Server server(client.io, [closes](Talk& talk) -> Awaitable<void> {
      co_await talk.say(sized("too much", "", "413 Too Large"));
      if (closes) co_return;
      asio::steady_timer never_reads(test_loop(), 1h);
      co_await never_reads.async_wait(as_task);
    });
    const Seen seen =
        ask(client, provider_at(server.port()), {.body = std::string(20'000'000, 'x')});
    CHECK_FALSE(seen.error);
    CHECK(seen.status == 413);
    CHECK(seen.body == "too much");
    CHECK(client.stats().open == 0);
  }
}

TEST_CASE("each limit of time has its own error") {
  const std::string half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
  Client client;
  Server silent(client.io, say_and_hang(""));
  Server halting(client.io, say_and_hang(half));
  const auto soon = [] { return std::chrono::steady_clock::now() + 30ms; };

  auto provider = provider_at(silent.port());
  provider.timeouts.first_byte = 30ms;
  check_error(ask(client, provider, {.stream = true}), ErrorKind::upstream_timeout, "the answer");
  check_error(ask(client, provider, {.deadline = soon()}), ErrorKind::deadline_exceeded, "limit");

  provider = provider_at(halting.port());
  provider.timeouts.idle = 30ms;
  const Seen idle = ask(client, provider);
  check_error(idle, ErrorKind::upstream_timeout, "next piece");
  CHECK(idle.body == "abc");
  provider.timeouts.idle = 10s;
  check_error(ask(client, provider, {.deadline = soon()}), ErrorKind::deadline_exceeded, "limit");

  // A whole reply has no limit to its first byte but the deadline.
  provider = provider_at(silent.port());
  provider.timeouts.first_byte = 1ms;
  check_error(ask(client, provider, {.deadline = soon()}), ErrorKind::deadline_exceeded, "limit");
  CHECK(client.stats().open == 0);
}

TEST_CASE("the connect limit covers the name, TCP and TLS") {
  Client client;
  auto provider = provider_at(1, true, "never.test");
  provider.timeouts.connect = 20ms;
  check_error(ask(client, provider), ErrorKind::upstream_timeout, "connecting");

  Server silent(client.io, say_and_hang(""));
  provider = provider_at(silent.port(), true);
  provider.timeouts.connect = 20ms;
  check_error(ask(client, provider), ErrorKind::upstream_timeout, "connecting");
  CHECK(client.stats().open == 0);
}
