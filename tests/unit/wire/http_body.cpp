#include "gateway/wire/http_body.hpp"

#include <doctest/doctest.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace tollgate;
using namespace tollgate::wire;

namespace {

struct Decoded {
  std::string data;
  std::size_t consumed = 0;
  bool done = false, failed = false;
  bool operator==(const Decoded&) const = default;
};

/// As a connection does it: what a step did not use stands at the front of the next one.
Decoded decode(const std::vector<std::string_view>& pieces) {
  ChunkedDecoder decoder;
  Decoded out;
  for (std::string_view piece : pieces) {
    while (!out.done) {
      auto step = decoder.next(piece);
      if (!step) {
        out.failed = true;
        return out;
      }
      const bool inside = step->data.empty() ||
                          (step->data.data() >= piece.data() &&
                           step->data.data() + step->data.size() <= piece.data() + step->consumed);
      CHECK(inside);
      CHECK_FALSE((step->done && !step->data.empty()));
      out.data += step->data;
      out.consumed += step->consumed;
      out.done = step->done;
      if (step->consumed == 0) break;
      piece.remove_prefix(step->consumed);
    }
  }
  return out;
}

constexpr std::string_view good[] = {
    "0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "1\r\na\r\n2\r\nbc\r\n00\r\n\r\n",
    "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
    "3;name=value;q=\"a b\"\r\nabc\r\n0;last\r\n\r\n",
    "3\r\n\r\n\n\r\n0\r\nX-Trailer: a\r\nY:b\r\n\r\n",
    "3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
};

}  // namespace

TEST_CASE("chunked: bodies, extensions and trailers") {
  const Decoded plain = decode({"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"});
  CHECK(plain.data == "hello world");
  CHECK(plain.done);
  CHECK(decode({good[4]}).data == "abc");
  CHECK(decode({good[5]}).data == "\r\n\n");
  CHECK(decode({good[3]}).data == "01234567890123456789");
}

TEST_CASE("chunked: what follows the body is left alone") {
  const Decoded out = decode({good[6]});
  CHECK(out.done);
  CHECK(good[6].substr(out.consumed) == "GET / HTTP/1.1\r\n");
}

TEST_CASE("chunked: the same for one byte at a time and for every split") {
  for (const std::string_view body : good) {
    CAPTURE(body);
    const Decoded whole = decode({body});
    CHECK(whole.done);
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < body.size(); ++i)
      bytes.push_back(body.substr(i, 1));
    CHECK(decode(bytes) == whole);
    for (std::size_t i = 0; i <= body.size(); ++i)
      CHECK(decode({body.substr(0, i), body.substr(i)}) == whole);
  }
}

TEST_CASE("chunked: a body that is cut is never done") {
  for (const std::string_view body : good) {
    const std::size_t length = decode({body}).consumed;
    for (std::size_t i = 0; i < length; ++i) {
      const Decoded cut = decode({body.substr(0, i)});
      CHECK_FALSE(cut.done);
      CHECK_FALSE(cut.failed);
    }
  }
}

TEST_CASE("chunked: malformed framing is a 400") {
  for (const std::string_view body : {
           "\r\n",                      // no size
           "g\r\n",                     // no hex
           "-1\r\n",                    // a sign
           "+1\r\n",                    //
           "0x5\r\nhello\r\n",          //
           " 5\r\nhello\r\n",           // space before the size
           "5 \r\nhello\r\n",           // and behind it
           "5\nhello\r\n",              // bare LF
           "5\r\nhello\n0\r\n\r\n",     // bare LF behind the data
           "5\r\nhello0\r\n\r\n",       // no CRLF behind the data
           "5\r\nhello!\r\n0\r\n\r\n",  // one byte too much
           "5\r\nhello\rx",             // bare CR behind the data
           "5\rx",                      // bare CR behind the size
           "5;a\nb\r\n",                // bare LF in an extension
           "5;a\rb",                    // bare CR in an extension
           "0\r\nA: b\n\r\n",           // bare LF in a trailer
           "0\r\nA: b\rc\r\n",          // bare CR in a trailer
           "0\r\n\n",                   // bare LF at the end
           ";\r\n",                     // an extension of nothing
           "8000000000000000\r\n",      // above 2^62
           "FFFFFFFFFFFFFFFF\r\n",      //
           "10000000000000000\r\n",     // above 2^64
           "00000000000000005\r\nhel",  // seventeen digits
       }) {
    CAPTURE(body);
    ChunkedDecoder decoder;
    std::optional<Error> error;
    std::string_view rest = body;
    while (!error) {
      auto step = decoder.next(rest);
      if (!step) {
        error = step.error();
        break;
      }
      if (step->consumed == 0 || step->done) break;
      rest.remove_prefix(step->consumed);
    }
    REQUIRE(error.has_value());
    CHECK(error->kind == ErrorKind::invalid_request);
  }
}

TEST_CASE("chunked: extensions and trailers have their limits") {
  const auto with_extension = [](std::size_t length) {
    return decode({"1;" + std::string(length, 'e') + "\r\na\r\n0\r\n\r\n"});
  };
  CHECK(with_extension(256).done);
  CHECK(with_extension(257).failed);
  CHECK(decode({"0\r\nA: " + std::string(8000, 't') + "\r\n\r\n"}).done);
  CHECK(decode({"0\r\nA: " + std::string(8200, 't') + "\r\n\r\n"}).failed);
  std::string many = "0\r\n";
  for (int i = 0; i < 2000; ++i)
    many += "A:b\r\n";
  CHECK(decode({many + "\r\n"}).failed);
  std::string long_chain;  // the limit is one of each chunk, not of the body
  for (int i = 0; i < 100; ++i)
    long_chain += "1;" + std::string(200, 'e') + "\r\na\r\n";
  CHECK(decode({long_chain + "0\r\n\r\n"}).done);
}

TEST_CASE("chunked: the largest size is taken, and nothing is taken once it is done") {
  ChunkedDecoder decoder;
  auto step = decoder.next("4000000000000000\r\nab");
  REQUIRE(step.has_value());
  CHECK(step->data == "ab");
  ChunkedDecoder done;
  CHECK(done.next("0\r\n\r\n")->done);
  CHECK(done.next("more")->consumed == 0);
  CHECK(done.next("more")->done);
}
