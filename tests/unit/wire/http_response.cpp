#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/wire/http_head.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace std::string_view_literals;

namespace {
Result<ResponseHead> ok(std::string_view lines) {
  return parse_response_head("HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n");
}
}  // namespace

TEST_CASE("http_response: a head as providers send it") {
  auto head = ok("content-type: text/event-stream\r\nX-A:  b \r\nTransfer-Encoding: chunked\r\n");
  REQUIRE(head.has_value());
  CHECK(head->status == 200);
  CHECK(head->header("Content-Type") == "text/event-stream");
  CHECK(head->header("x-a") == "b");
  CHECK(head->framing == Framing::chunked);
  CHECK(head->keep_alive);
}

TEST_CASE("http_response: sloppy servers are understood") {
  for (const std::string_view text :
       {"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 3\n\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\nContent-Length:3\r\n\r\n",
        "HTTP/1.1 200 Ol\xC3\xA9\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nContent-Length: 3\r\n\r\n"}) {
    CAPTURE(text);
    auto head = parse_response_head(text);
    REQUIRE(head.has_value());
    CHECK(head->status == 200);
    CHECK(head->framing == Framing::sized);
    CHECK(head->content_length == 3);
    CHECK(head->keep_alive);
  }
  CHECK(ok("X: a\r\n\t b\r\n")->header("x") == "a b");
}

TEST_CASE("http_response: what has no body and what ends with the connection") {
  for (const std::string_view status :
       {"100 Continue", "103 Early Hints", "204 No Content", "304 Not Modified"}) {
    auto head =
        parse_response_head("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 5\r\n\r\n");
    REQUIRE(head.has_value());
    CHECK(head->framing == Framing::none);
    CHECK(head->keep_alive);
  }
  auto open = ok("Content-Type: text/plain\r\n");
  CHECK(open->framing == Framing::until_close);
  CHECK_FALSE(open->keep_alive);
  CHECK_FALSE(ok("Content-Length: 1\r\nConnection: close\r\n")->keep_alive);
  auto old = parse_response_head("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n");
  CHECK_FALSE(old->keep_alive);
  CHECK(old->minor_version == 0);
  auto kept =
      parse_response_head("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n");
  CHECK(kept->keep_alive);
}

TEST_CASE("http_response: what cannot be framed surely is the provider's error") {
  for (const std::string_view text :
       {""sv,
        "\r\n\r\n"sv,
        "200 OK\r\n\r\n"sv,
        "HTTP/2 200\r\n\r\n"sv,
        "HTTP/1.1 20 OK\r\n\r\n"sv,
        "HTTP/1.1 2000\r\n\r\n"sv,
        "HTTP/1.1  200 OK\r\n\r\n"sv,
        "HTTP/1.1 099 X\r\n\r\n"sv,
        "HTTP/1.1 abc\r\n\r\n"sv,
        "HTTP/1.x 200 OK\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\n: x\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\n x\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nA B: c\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nContent-Length: 3,\r\n\r\n"sv,
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"sv}) {
    CAPTURE(text);
    auto head = parse_response_head(text);
    REQUIRE_FALSE(head.has_value());
    CHECK(head.error().kind == ErrorKind::upstream_error);
    CHECK(head.error().origin == Origin::upstream);
  }
  std::string many;
  for (int i = 0; i < 257; ++i)
    many += "A: b\r\n";
  CHECK_FALSE(ok(many).has_value());
}
