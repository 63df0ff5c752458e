// The admin server: routes, errors, token, limits.
#include <doctest/doctest.h>

#include "gateway/net/admin.hpp"
#include "server_fixture.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

std::vector<AdminRoute> routes() {
  return {
      {"GET", "/healthz", [](std::string_view) { return AdminReply{200, "text/plain", "ok\n"}; }},
      {"POST", "/admin/reload",
       [](std::string_view body) {
         return AdminReply{200, "application/json", "got " + std::string(body)};
       }},
      {"GET", "/bug",
       [](std::string_view) -> AdminReply { throw std::runtime_error("wanted by the test"); }},
  };
}

using Test = std::function<Awaitable<void>(Client&, AdminServer&)>;

void play(std::string token, const Test& test) {
  boost::asio::io_context io(1);
  AdminServer server(io, routes(), std::move(token));
  REQUIRE(server.open({boost::asio::ip::make_address("127.0.0.1"), 0}).has_value());
  std::exception_ptr failed;
  auto run = [&]() -> Awaitable<void> {
    Client client(io);
    co_await client.connect(server.endpoint());
    co_await test(client, server);
  };
  spawn(io, run(), [&](std::exception_ptr error) {
    failed = std::move(error);
    server.stop();
  });
  io.run_for(std::chrono::seconds(20));
  if (failed) std::rethrow_exception(failed);
  CHECK(io.stopped());
}

Reply lower(Reply reply) {
  for (char& c : reply.head)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return reply;
}

std::string with_token(std::string_view path, std::string_view value) {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nhost: t\r\nauthorization: " + std::string(value) + "\r\n\r\n";
}

}  // namespace

TEST_CASE("admin: routes by method and path; HEAD; query ignored; errors in OpenAI's shape") {
  play("", [](Client& client, AdminServer&) -> Awaitable<void> {
    co_await client.send("GET /healthz?x=1 HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\n\r\n");
    const Reply health = co_await client.reply(true);
    CHECK(health.status == 200);
    CHECK(health.has("text/plain"));
    co_await client.send("HEAD /healthz HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
    const std::string rest = co_await client.rest();
    CHECK(rest.starts_with("ok\nHTTP/1.1 200 OK"));
    CHECK(rest.ends_with("\r\n\r\n"));
  });
  play("", [](Client& client, AdminServer&) -> Awaitable<void> {
    co_await client.send(
        "POST /admin/reload HTTP/1.1\r\nhost: t\r\ncontent-length: 2\r\n\r\n{}"
        "GET /nothing HTTP/1.1\r\nhost: t\r\n\r\n"
        "GET /admin/reload HTTP/1.1\r\nhost: t\r\n\r\n"
        "GET /bug HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
    const std::string all = co_await client.rest();
    CHECK(all.find("got {}") != all.npos);
    CHECK(all.find("HTTP/1.1 404 Not Found") != all.npos);
    CHECK(all.find("\"code\":\"not_found\"") != all.npos);
    CHECK(all.find("HTTP/1.1 405 Method Not Allowed") != all.npos);
    CHECK(all.find("Allow: POST\r\n") != all.npos);
    CHECK(all.find("\"code\":\"method_not_allowed\"") != all.npos);
    CHECK(all.find("HTTP/1.1 500") != all.npos);
    CHECK(all.find("wanted by the test") == all.npos);
  });
}

TEST_CASE("admin: with a token every route asks for it, probes too; it can be changed") {
  play("secret", [](Client& client, AdminServer& server) -> Awaitable<void> {
    const std::vector<std::pair<std::string, int>> asked{
        {get("/healthz"), 401},
        {with_token("/healthz", "Bearer wrong"), 401},
        {with_token("/healthz", "Bearer secret2"), 401},
        {with_token("/healthz", "Basic secret"), 401},
        {with_token("/nothing", ""), 401},
        {with_token("/healthz", "Bearer secret"), 200},
        {with_token("/healthz", "bearer secret"), 200},
        {with_token("/nothing", "Bearer secret"), 404},
    };
    for (const auto& [request, status] : asked) {
      CAPTURE(request);
      Client fresh(static_cast<boost::asio::io_context&>(client.socket().get_executor().context()));
      co_await fresh.connect(server.endpoint());
      co_await fresh.send(request);
      const Reply reply = lower(co_await fresh.reply(true));
      CHECK(reply.status == status);
      CHECK(reply.has("www-authenticate: bearer\r\n") == (status == 401));
    }
    server.set_token("other");
    co_await client.send(with_token("/healthz", "Bearer secret"));
    CHECK((co_await client.reply(true)).status == 401);
  });
}

TEST_CASE("admin: what is too large or malformed is refused and closed") {
  for (const auto& [request, status] : std::vector<std::pair<std::string, std::string>>{
           {"POST /admin/reload HTTP/1.1\r\nhost: t\r\ncontent-length: 70000\r\n\r\n" +
                std::string(70000, 'a'),
            "HTTP/1.1 413"},
           {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nhost: t\r\n\r\n", "HTTP/1.1 431"},
           {"nonsense\r\n\r\n", "HTTP/1.1 400"}}) {
    CAPTURE(status);
    play("", [&](Client& client, AdminServer&) -> Awaitable<void> {
      co_await client.send(request);
      CHECK((co_await client.rest()).starts_with(status));
    });
  }
}

TEST_CASE("admin: a port in use is one sentence") {
  play("", [](Client& client, AdminServer& server) -> Awaitable<void> {
    auto& io = static_cast<boost::asio::io_context&>(client.socket().get_executor().context());
    AdminServer second(io, routes());
    const auto opened = second.open(server.endpoint());
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().message.find("is in use by another process") != std::string::npos);
    co_return;
  });
}
