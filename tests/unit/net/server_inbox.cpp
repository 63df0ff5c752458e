// Inbox and BodyBuffer without a socket, and the reply heads.
#include <cstring>
#include <doctest/doctest.h>

#include "gateway/net/inbox.hpp"
#include "gateway/net/reply_head.hpp"

using namespace tollgate;
using namespace tollgate::net;

namespace {

/// One read of at most all of `bytes`; returns how many found room.
std::size_t arrive(Inbox& inbox, std::string_view bytes) {
  const auto room = inbox.prepare();
  const std::size_t taken = std::min(room.size(), bytes.size());
  if (taken > 0) std::memcpy(room.data(), bytes.data(), taken);
  inbox.commit(taken);
  return taken;
}

}  // namespace

TEST_CASE("memory is given back only where nothing lies, is kept or is being read to") {
  Inbox inbox(64 * 1024);
  arrive(inbox, "head");
  inbox.keep(4);
  inbox.give_back();
  CHECK(inbox.unread().empty());
  CHECK(inbox.fits(1024));  // kept bytes hold their half

  inbox.release();
  const auto room = inbox.prepare();  // a read is under way
  inbox.give_back();
  CHECK(inbox.prepare().data() == room.data());
  inbox.commit(0);
  inbox.give_back();
  CHECK_FALSE(inbox.fits(1024));

  CHECK(arrive(inbox, "next") == 4);
  inbox.give_back();
  CHECK(inbox.unread() == "next");
}

TEST_CASE("inbox: a read stands armed with a whole half's room behind what is kept") {
  Inbox inbox(64 * 1024);
  arrive(inbox, "head body");
  CHECK(inbox.keep(5) == "head ");
  const std::string_view body = inbox.keep(4);
  CHECK(inbox.prepare().size() == Inbox::usual_bytes);
  inbox.commit(0);
  arrive(inbox, "next");
  CHECK(body == "body");
  inbox.release();
  CHECK(inbox.unread() == "next");
}

TEST_CASE("inbox: pipelined bytes are bounded and views stay true") {
  Inbox inbox(64 * 1024);
  arrive(inbox, "head");
  const std::string_view head = inbox.keep(4);
  const std::string flood(1000, 'x');
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i)
    taken += arrive(inbox, flood);
  CHECK(taken <= 16 * 1024);
  CHECK(inbox.prepare().empty());
  CHECK(head == "head");
  CHECK(inbox.unread().size() == taken);
  inbox.release();
  inbox.consume(taken);
  CHECK(inbox.prepare().size() == Inbox::usual_bytes);
}

TEST_CASE("inbox: a head grows a half up to its limit, and the memory goes back") {
  Inbox inbox(20'000);
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i)
    taken += arrive(inbox, std::string(1000, 'h'));
  CHECK(taken > 20'000);
  CHECK(taken <= 22'000);
  CHECK(inbox.unread() == std::string(taken, 'h'));
  inbox.consume(taken);
  CHECK(inbox.prepare().size() == Inbox::usual_bytes);
}

TEST_CASE("inbox: what is left of a pipelined head moves to the front when room runs out") {
  Inbox inbox(64 * 1024);
  arrive(inbox, std::string(8000, 'a') + "begun");
  inbox.consume(8000);
  while (inbox.unread().size() < 1000)
    arrive(inbox, std::string(100, 'b'));
  CHECK(inbox.unread().starts_with("begunbbb"));
}

TEST_CASE("inbox: a body that is promised to fit does, before and after its first byte") {
  for (const bool first_byte : {false, true}) {
    Inbox inbox(64 * 1024);
    const std::string head(20'000, 'h');
    for (std::size_t at = 0; at < head.size();)
      at += arrive(inbox, std::string_view(head).substr(at));
    if (first_byte) arrive(inbox, "b");
    inbox.keep(head.size());
    std::size_t length = 60'000;
    while (!inbox.fits(length))
      --length;
    REQUIRE(length > 1000);
    std::size_t got = first_byte ? 1 : 0;
    while (got < length) {
      const std::size_t taken = arrive(inbox, std::string(length - got, 'b'));
      REQUIRE(taken > 0);
      got += taken;
    }
    CHECK(inbox.keep(length) == std::string(length, 'b'));
    CHECK_FALSE(inbox.prepare().empty());
  }
}

TEST_CASE("inbox: reads go into a body only while nothing unread lies before them") {
  BufferBudget budget(1000);
  Inbox inbox(64 * 1024);
  BodyBuffer body(budget, 6);
  REQUIRE(body.reserve(6));
  inbox.divert(&body);
  arrive(inbox, "abc");
  CHECK(body.bytes() == "abc");
  arrive(inbox, "defghi");  // only as much as the body still takes
  CHECK(body.bytes() == "abcdef");
  CHECK(body.missing() == 0);
  arrive(inbox, "ghi");
  CHECK(inbox.unread() == "ghi");
}

TEST_CASE("body buffer: charged as it grows, given back, refused beyond the budget") {
  BufferBudget budget(1'000'000);
  {
    BodyBuffer body(budget, 10'000'000);
    CHECK(body.append(std::string(100, 'a')));
    CHECK(budget.used() == 256 * 1024);
    CHECK(body.append(std::string(500'000, 'b')));
    CHECK(body.bytes().size() == 500'100);
    CHECK(body.bytes().substr(99, 2) == "ab");
    CHECK_FALSE(body.append(std::string(900'000, 'c')));
    CHECK(body.bytes().size() == 500'100);
  }
  CHECK(budget.used() == 0);
  BodyBuffer exact(budget, 10);
  CHECK(exact.append("0123456789"));
  CHECK(budget.used() == 10);
}

TEST_CASE("reply heads: status, date, fields, framing, connection") {
  DateLine date;
  CHECK(date.at(784111777) == "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  CHECK(date.at(951782400) == "date: Tue, 29 Feb 2000 00:00:00 GMT\r\n");
  ReplyHead head;
  head.add("x-a", "1");
  std::string out;
  render_head(out, head, "date: d\r\n", {Framing::sized, 12, true, 1});
  CHECK(out == "HTTP/1.1 200 OK\r\ndate: d\r\nx-a: 1\r\ncontent-length: 12\r\n\r\n");
  head.status = 599;
  render_head(out, head, "", {Framing::chunked, 0, false, 1});
  CHECK(out ==
        "HTTP/1.1 599 \r\nx-a: 1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
  head.status = 204;
  render_head(out, head, "", {Framing::sized, 0, true, 0});
  CHECK(out == "HTTP/1.1 204 No Content\r\nx-a: 1\r\nconnection: keep-alive\r\n\r\n");
}
