// What a client takes at once and what it lets wait are the same bytes.
#include <doctest/doctest.h>

#include "gateway/core/frame_memory.hpp"
#include "gateway/net/spare_blocks.hpp"
#include "server_fixture.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

/// No two are alike, nor any two of their parts.
std::string piece_text(std::size_t number) {
  std::string text;
  while (text.size() < std::size_t{64} << 10U) {
    text += std::to_string(number) + ":" + std::to_string(text.size()) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a stream that its client is slow to take: what did not go at once follows") {
  constexpr std::size_t count = 400;
  Server server;
  std::size_t at_once = 0, waited = 0;
  Signal blocked;
  server.front.scripts["/stream"] = [&](Served&, RequestBody&,
                                        ReplyWriter& writer) -> Awaitable<void> {
    writer.begin({});
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text = piece_text(i);
      Pieces piece;
      piece.view(std::string_view(text).substr(0, 1000));
      piece.view(std::string_view(text).substr(1000));
      if (writer.write_now(piece)) {
        ++at_once;
        continue;
      }
      ++waited;
      blocked.notify();
      CHECK((co_await writer.write(piece)).has_value());
    }
    co_await writer.end();
  };
  server.play([&]() -> Awaitable<void> {
    Client client = server.client();
    co_await client.connect(server.endpoint());
    co_await client.send(get("/stream"));
    if (waited == 0) co_await blocked.wait();
    const Reply reply = co_await client.reply();
    std::string expected;
    for (std::size_t i = 0; i < count; ++i)
      expected += piece_text(i);
    CHECK(reply.body.size() == expected.size());
    CHECK((reply.body == expected));  // not to be printed
    CHECK(at_once > 0);
    CHECK(at_once + waited == count);
  });
}

TEST_CASE("a client that is gone takes nothing at once") {
  Server server;
  bool gone = false;
  server.front.scripts["/stream"] = [&](Served& served, RequestBody&,
                                        ReplyWriter& writer) -> Awaitable<void> {
    writer.begin({});
    while (!served.left)
      co_await served.leaving.wait();
    Pieces piece;
    piece.view("for nobody");
    CHECK_FALSE(writer.write_now(piece));
    CHECK_FALSE((co_await writer.write(piece)).has_value());
    gone = true;
  };
  server.play([&]() -> Awaitable<void> {
    {
      Client client = server.client();
      co_await client.connect(server.endpoint());
      co_await client.send(get("/stream"));
      co_await server.front.until_opened(1);
    }
    while (!gone)
      co_await server.settle();
  });
}

TEST_CASE("blocks are used again, but never one that somebody holds, and few are kept") {
  constexpr std::size_t bytes = 16 * 1024;
  auto held = take_block(bytes);
  const std::string_view text = held->append("held");
  auto first = take_block(bytes);
  CHECK(first.get() != held.get());
  first->append("forgotten");
  const Block* const freed = first.get();
  first.reset();
  auto again = take_block(bytes);
  if (FrameMemory::keeps) CHECK(again.get() == freed);
  CHECK(again->used() == 0);
  CHECK(again->capacity() == bytes);
  CHECK(text == "held");

  std::vector<std::shared_ptr<Block>> many;
  for (std::size_t i = 0; i < 4 * spare_blocks_max; ++i)
    many.push_back(take_block(bytes));
  many.clear();
  CHECK(spare_blocks() == (FrameMemory::keeps ? spare_blocks_max : 0));
}
