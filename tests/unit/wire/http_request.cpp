#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/wire/http_head.hpp"

using namespace tollgate;
using namespace tollgate::wire;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view host = "Host: gate\r\n";

Result<RequestHead> parse(std::string_view head) {
  RequestHead out;
  auto parsed = parse_request_head(head, out);
  if (!parsed) return std::unexpected(parsed.error());
  return out;
}

/// A POST with `lines` behind its Host. The views of the result are not for reading.
Result<RequestHead> with(std::string_view lines) {
  return parse("POST /v1/chat/completions HTTP/1.1\r\n" + std::string(host) + std::string(lines) +
               "\r\n");
}

}  // namespace

TEST_CASE("http_request: a head as SDKs send it") {
  const std::string text =
      "POST /v1/chat/completions?x=1&y HTTP/1.1\r\n"
      "Host: localhost:8080\r\n"
      "Authorization:Bearer tg-1\r\n"
      "X-Odd: \t spaced\tvalue \t\r\n"
      "X-Empty:\r\n"
      "X-Utf8: \xC3\xA4\r\n"
      "Content-Length: 12\r\n"
      "\r\n";
  RequestHead head;
  REQUIRE(parse_request_head(text, head).has_value());
  CHECK(head.method == "POST");
  CHECK(head.target == "/v1/chat/completions?x=1&y");
  CHECK(head.path == "/v1/chat/completions");
  CHECK(head.query == "x=1&y");
  CHECK(head.minor_version == 1);
  CHECK(head.headers.size() == 6);
  CHECK(head.header("authorization") == "Bearer tg-1");
  CHECK(head.header("X-ODD") == "spaced\tvalue");
  CHECK(head.has("x-empty"));
  CHECK(head.header("x-utf8") == "\xC3\xA4");
  CHECK(head.framing == Framing::sized);
  CHECK(head.content_length == 12);
  CHECK(head.keep_alive);
  CHECK_FALSE(head.expect_continue);
  CHECK_MESSAGE(head.method.data() == text.data(), "views, no copies");
}

TEST_CASE("http_request: a reused head keeps nothing of the last request") {
  RequestHead head;
  REQUIRE(parse_request_head(
              "POST /a?b HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", head)
              .has_value());
  REQUIRE(parse_request_head("GET /c HTTP/1.1\r\nHost: x\r\n\r\n", head).has_value());
  CHECK(head.query.empty());
  CHECK(head.framing == Framing::none);
  CHECK(head.content_length == 0);
  CHECK(head.keep_alive);
  CHECK(head.headers.size() == 1);
}

TEST_CASE("http_request: the forms of a target") {
  struct Case {
    std::string_view line, path, query;
  };
  constexpr Case good[] = {
      {"GET / HTTP/1.1", "/", ""},
      {"GET /a? HTTP/1.1", "/a", ""},
      {"GET /a?b?c HTTP/1.1", "/a", "b?c"},
      {"GET /v1/models/org/name%20x HTTP/1.1", "/v1/models/org/name%20x", ""},
      {"GET //a HTTP/1.1", "//a", ""},
      {"GET http://gate/v1/models?x HTTP/1.1", "/v1/models", "x"},
      {"GET HTTPS://gate:8080/a HTTP/1.1", "/a", ""},
      {"GET http://gate HTTP/1.1", "/", ""},
      {"GET http://gate?q HTTP/1.1", "/", "q"},
      {"OPTIONS * HTTP/1.1", "*", ""},
      {"OPTIONS /a HTTP/1.1", "/a", ""},
  };
  for (const Case& c : good) {
    CAPTURE(c.line);
    const std::string text = std::string(c.line) + "\r\nHost: gate\r\n\r\n";
    auto head = parse(text);
    REQUIRE(head.has_value());
    CHECK(head->path == c.path);
    CHECK(head->query == c.query);
  }
}

TEST_CASE("http_request: every bad request line is a 400") {
  for (const std::string_view line : {"",
                                      " ",
                                      "GET",
                                      "GET /",
                                      "GET  / HTTP/1.1",
                                      "GET /  HTTP/1.1",
                                      " GET / HTTP/1.1",
                                      "GET / HTTP/1.1 ",
                                      "GET /a b HTTP/1.1",
                                      "GET\t/\tHTTP/1.1",
                                      "GET / http/1.1",
                                      "GET / HTTP/1.2",
                                      "GET / HTTP/2",
                                      "GET / HTTP/2.0",
                                      "GET / HTTP/0.9",
                                      "GET / HTTP/1",
                                      "GET / HTTP/1.",
                                      "GET / HTTP/1.10",
                                      "GET / HTTP/11",
                                      "GET / HTTP/ 1.1",
                                      "GET / XHTTP/1.1",
                                      "G(T / HTTP/1.1",
                                      "G\xC3\xA4T / HTTP/1.1",
                                      "GET a HTTP/1.1",
                                      "GET * HTTP/1.1",
                                      "GET *a HTTP/1.1",
                                      "GET /a#b HTTP/1.1",
                                      "GET /\xC3\xA4 HTTP/1.1",
                                      "GET ftp://gate/ HTTP/1.1",
                                      "GET http:/// HTTP/1.1",
                                      "GET http:// HTTP/1.1",
                                      "GET http://u:p@gate/ HTTP/1.1",
                                      "CONNECT gate:443 HTTP/1.1",
                                      "CONNECT / HTTP/1.1",
                                      "GET gate:443 HTTP/1.1",
                                      "PRI * HTTP/2.0",
                                      "/ HTTP/1.1",
                                      ": / HTTP/1.1"}) {
    CAPTURE(line);
    auto head = parse(std::string(line) + "\r\nHost: gate\r\n\r\n");
    REQUIRE_FALSE(head.has_value());
    CHECK(head.error().kind == ErrorKind::invalid_request);
    CHECK(head.error().status == 400);
  }
}

TEST_CASE("http_request: the HTTP/2 preface is told what to do") {
  const std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const std::size_t length = head_length(preface);
  REQUIRE(length == 18);
  auto head = parse(preface.substr(0, length));
  REQUIRE_FALSE(head.has_value());
  CHECK(head.error().message.find("use HTTP/1.1") != std::string::npos);
}

namespace {

struct Smuggling {
  std::string_view why, head;
};
// Each would be framed in two ways by two servers in a row.
constexpr Smuggling smuggling[] = {
    {"CL and TE",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"sv},
    {"TE and CL",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
     "Content-Length: 5\r\n\r\n"sv},
    {"TE and CL 0",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"sv},
    {"TE on 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"sv},
    {"TE gzip", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"sv},
    {"TE gzip, chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"sv},
    {"TE chunked, gzip",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"sv},
    {"TE chunked twice",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"sv},
    {"TE identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"sv},
    {"TE xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"sv},
    {"TE quoted", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"sv},
    {"TE with parameter", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n"sv},
    {"TE list", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n"sv},
    {"TE empty", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"sv},
    {"TE vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n"sv},
    {"two TE headers",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
     "Transfer-Encoding: chunked\r\n\r\n"sv},
    {"TE then other TE",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
     "transfer-encoding: identity\r\n\r\n"sv},
    {"TE folded", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"sv},
    {"TE space before colon",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"sv},
    {"TE behind a bare LF",
     "POST / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n"sv},
    {"TE behind a bare CR",
     "POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n"sv},
    {"TE behind a NUL", "POST / HTTP/1.1\r\nHost: a\r\nX: y\0Transfer-Encoding: chunked\r\n\r\n"sv},
    {"NUL in a name", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\0: chunked\r\n\r\n"sv},
    {"differing CL",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"sv},
    {"equal CL twice",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"sv},
    {"CL list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"sv},
    {"CL list that differs", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 6\r\n\r\n"sv},
    {"CL plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"sv},
    {"CL minus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"sv},
    {"CL minus zero", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\n"sv},
    {"CL hex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"sv},
    {"CL fraction", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\n"sv},
    {"CL exponent", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e1\r\n\r\n"sv},
    {"CL with a space", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 5\r\n\r\n"sv},
    {"CL empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"sv},
    {"CL of words", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: five\r\n\r\n"sv},
    {"CL above 2^64",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\n"sv},
    {"CL above 2^62",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n"sv},
    {"CL space before colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n"sv},
    {"no Host", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"sv},
    {"two Hosts", "POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"sv},
    {"two Hosts on 1.0", "POST / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"sv},
    {"Host with a space", "POST / HTTP/1.1\r\nHost: a b\r\n\r\n"sv},
    {"Host with user", "POST / HTTP/1.1\r\nHost: a@b\r\n\r\n"sv},
    {"Host with path", "POST / HTTP/1.1\r\nHost: a/b\r\n\r\n"sv},
    {"Host list", "POST / HTTP/1.1\r\nHost: a, b\r\n\r\n"sv},
    {"folded header", "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"sv},
    {"folded with a tab", "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n"sv},
    {"space before the first header", "POST / HTTP/1.1\r\n Host: a\r\n\r\n"sv},
    {"line of spaces", "POST / HTTP/1.1\r\nHost: a\r\n  \r\n\r\n"sv},
    {"no colon", "POST / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"sv},
    {"no name", "POST / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"sv},
    {"name with a space", "POST / HTTP/1.1\r\nHost: a\r\nX Y: x\r\n\r\n"sv},
    {"name with a quote", "POST / HTTP/1.1\r\nHost: a\r\n\"X\": x\r\n\r\n"sv},
    {"name beyond ASCII", "POST / HTTP/1.1\r\nHost: a\r\n\xC3\xA4: x\r\n\r\n"sv},
    {"DEL in a value", "POST / HTTP/1.1\r\nHost: a\r\nX: a\x7F\r\n\r\n"sv},
    {"escape in a value", "POST / HTTP/1.1\r\nHost: a\r\nX: a\x1B[0m\r\n\r\n"sv},
    {"bare CR in the request line", "POST /\rX HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"LF-only lines", "POST / HTTP/1.1\nHost: a\n\n"sv},
    {"LF-only blank line", "POST / HTTP/1.1\r\nHost: a\r\n\n"sv},
    {"LF-only header", "POST / HTTP/1.1\r\nHost: a\n\r\n"sv},
    {"CR CR LF", "POST / HTTP/1.1\r\nHost: a\r\r\n\r\n"sv},
    {"no blank line", "POST / HTTP/1.1\r\nHost: a\r\n"sv},
    {"text behind the blank line", "POST / HTTP/1.1\r\nHost: a\r\n\r\nX"sv},
    {"other expectations", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n"sv},
    {"three empty lines", "\r\n\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"an empty line of LF", "\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"nothing", ""sv},
};

}  // namespace

TEST_CASE("http_request: every smuggling form is a 400") {
  for (const Smuggling& c : smuggling) {
    CAPTURE(c.why);
    auto head = parse(c.head);
    REQUIRE_FALSE(head.has_value());
    CHECK(head.error().kind == ErrorKind::invalid_request);
    CHECK(head.error().origin == Origin::client);
    CHECK_FALSE(head.error().message.empty());
  }
}

TEST_CASE("http_request: framing that is good") {
  CHECK(with("")->framing == Framing::none);
  CHECK(with("Transfer-Encoding: chunked\r\n")->framing == Framing::chunked);
  CHECK(with("transfer-encoding:  CHUNKED \r\n")->framing == Framing::chunked);
  CHECK(with("Content-Length: 0\r\n")->framing == Framing::sized);
  CHECK(with("Content-Length: 007\r\n")->content_length == 7);
  CHECK(with("Content-Length: 4611686018427387904\r\n")->content_length == 1ULL << 62U);
  CHECK(with("TE: trailers\r\nX-Content-Length: 9\r\nContent-Lengt: 8\r\n")->framing ==
        Framing::none);
  CHECK(parse("POST / HTTP/1.1\r\nHost:\r\n\r\n").has_value());
  CHECK(parse("POST / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").has_value());
}

TEST_CASE("http_request: keep-alive by version and by word") {
  const auto old = [](std::string_view lines) {
    return parse("GET / HTTP/1.0\r\n" + std::string(lines) + "\r\n");
  };
  CHECK(with("")->keep_alive);
  CHECK_FALSE(with("Connection: close\r\n")->keep_alive);
  CHECK_FALSE(with("Connection: keep-alive, Close\r\n")->keep_alive);
  CHECK_FALSE(with("Connection: upgrade\r\nConnection: close\r\n")->keep_alive);
  CHECK(with("Connection: closed\r\n")->keep_alive);
  CHECK_FALSE(old("")->keep_alive);
  CHECK(old("Connection: Keep-Alive\r\n")->keep_alive);
  CHECK_FALSE(old("Connection: keep-alive, close\r\n")->keep_alive);
  CHECK(old("")->minor_version == 0);
}

TEST_CASE("http_request: Expect counts where a body is to come") {
  CHECK(with("Expect: 100-continue\r\nContent-Length: 3\r\n")->expect_continue);
  CHECK(with("Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n")->expect_continue);
  CHECK_FALSE(with("Expect: 100-continue\r\n")->expect_continue);
  CHECK_FALSE(with("Expect: 100-continue\r\nContent-Length: 0\r\n")->expect_continue);
  auto old = parse("POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK_FALSE(old->expect_continue);
}

TEST_CASE("http_request: too many headers are a 431") {
  std::string lines;
  for (int i = 0; i < 255; ++i)
    lines += "X: y\r\n";
  CHECK(with(lines).has_value());
  auto refused = with(lines + "X: y\r\n");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::headers_too_large);
}

TEST_CASE("http_request: up to two empty lines before the request are forgiven") {
  for (const std::string_view empty : {"", "\r\n", "\r\n\r\n"}) {
    const std::string text = std::string(empty) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(head_length(text) == text.size());
    CHECK(parse(text).has_value());
  }
}

TEST_CASE("head_length: zero until the blank line, then what it measures, from any start") {
  for (const std::string_view text :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nG / H\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\n",
        "HTTP/1.1 200 OK\nA: b\n\r\n", "\r\n\r\n\r\n", "\r\n\n", "\n", "a\n\n"}) {
    CAPTURE(text);
    for (std::size_t have = 0; have < text.size(); ++have) {
      const std::string_view part = text.substr(0, have);
      for (std::size_t seen = 0; seen <= have; ++seen)
        REQUIRE(head_length(part, seen) == 0);
    }
    const std::string more = std::string(text) + "\r\n\r\nbody\n\n";
    // What was seen before was incomplete, so at most all but the last byte.
    for (std::size_t seen = 0; seen < text.size(); ++seen)
      CHECK(head_length(more, seen) == text.size());
  }
}

TEST_CASE("http_request: a control character is found at every place of a head") {
  const std::string good = "GET /abc HTTP/1.1\r\nHost: a\r\nX-Long: 0123456789012345\r\n\r\n";
  REQUIRE(parse(good).has_value());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char control : {'\r', '\n', '\0', '\x01', '\x7F'}) {
      std::string text = good;
      if (text[at] == control) continue;
      text[at] = control;
      CAPTURE(at);
      CHECK_FALSE(parse(text).has_value());
      text = good;
      CHECK_FALSE(parse(text.insert(at, 1, control)).has_value());
    }
  }
}

TEST_CASE("http_request: a head cut anywhere is refused, never misread") {
  const std::string text = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
  for (std::size_t length = 0; length < text.size(); ++length)
    CHECK_FALSE(parse(text.substr(0, length)).has_value());
}
