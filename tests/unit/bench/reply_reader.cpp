#include "bench/reply_reader.hpp"

#include <doctest/doctest.h>
#include <string>

using tollgate::bench::ReplyReader;

namespace {

const std::string with_length = "HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nX-A: b\r\n\r\nhello";
const std::string in_chunks =
    "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    "3\r\nhel\r\nA;x=y\r\nlo, world!\r\n0\r\nX-T: 1\r\n\r\n";

struct Read {
  ReplyReader reader;
  std::string body;
  std::size_t used = 0;
};

/// Feeds `text` in pieces of `step` bytes until the reader has had enough.
Read read(std::string_view text, std::size_t step) {
  Read out;
  while (out.used < text.size() && !out.reader.done() && !out.reader.bad())
    out.used += out.reader.feed(text.substr(out.used, step), out.body);
  return out;
}

}  // namespace

TEST_CASE("replies are followed in pieces of any size and end where they end") {
  for (std::size_t step = 1; step < 120; ++step) {
    CAPTURE(step);
    const Read whole = read(with_length + "HTTP", step);
    CHECK(whole.reader.done());
    CHECK(whole.body == "hello");
    CHECK(whole.used == with_length.size());
    CHECK(whole.reader.status() == 200);
    CHECK_FALSE(whole.reader.closes());

    const Read chunks = read(in_chunks + "HTTP", step);
    CHECK(chunks.reader.done());
    CHECK(chunks.body == "hello, world!");
    CHECK(chunks.used == in_chunks.size());
    CHECK(chunks.reader.status() == 502);
    CHECK(chunks.reader.closes());
  }
}

TEST_CASE("a cut reply is not done") {
  CHECK_FALSE(read(with_length.substr(0, with_length.size() - 1), 7).reader.done());
  CHECK_FALSE(read(in_chunks.substr(0, in_chunks.size() - 1), 7).reader.done());
}

TEST_CASE("what is no reply is bad") {
  CHECK(read("SSH-2.0-OpenSSH_9.2 and more\r\n\r\n", 64).reader.bad());
  CHECK(read("HTTP/1.1 200 OK\r\nX: y\r\n\r\n", 64).reader.bad());  // no way to find the end
  CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 64).reader.bad());
  CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 64).reader.bad());
}

TEST_CASE("an empty body ends with the head") {
  CHECK(read("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 64).reader.done());
}
