#include "gateway/app/byte_ring.hpp"

#include <doctest/doctest.h>
#include <string>
#include <thread>

namespace tollgate::app {
namespace {

std::string waiting(const ByteRing& ring) {
  const auto pieces = ring.readable();
  return std::string(pieces[0]) + std::string(pieces[1]);
}

/// Some text of that length; no two bytes near each other are equal.
std::string text_of(std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i)
    text += static_cast<char>('a' + i % 23);
  return text;
}

}  // namespace

TEST_CASE("byte_ring: texts of every length come out whole from every offset") {
  constexpr std::size_t capacity = 32;
  for (std::size_t offset = 0; offset < 2 * capacity; ++offset) {
    for (std::size_t length = 0; length <= capacity; ++length) {
      ByteRing ring(capacity);
      for (std::size_t i = 0; i < offset; ++i) {
        REQUIRE(ring.push("x"));
        ring.consume(1);
      }
      const std::string text = text_of(length);
      REQUIRE(ring.push(text));
      REQUIRE(waiting(ring) == text);
      REQUIRE(ring.fill() == length);
      for (std::size_t taken = 0; taken < length; ++taken) {
        REQUIRE(waiting(ring) == text.substr(taken));
        ring.consume(1);
      }
      REQUIRE(ring.fill() == 0);
    }
  }
}

TEST_CASE("byte_ring: what does not fit changes nothing") {
  ByteRing ring(16);
  CHECK(ring.capacity() == 16);
  CHECK_FALSE(ring.push(text_of(17)));
  CHECK(ring.push("0123456789"));
  CHECK_FALSE(ring.push("abcdefg"));
  CHECK(waiting(ring) == "0123456789");
  CHECK(ring.push("abcdef"));
  CHECK_FALSE(ring.push("x"));
  ring.consume(1);
  CHECK(ring.push("x"));
  CHECK(waiting(ring) == "123456789abcdefx");
}

TEST_CASE("byte_ring: one thread pushes while another reads") {
  ByteRing ring(64);
  std::string sent;
  std::string got;
  for (int i = 0; i < 20'000; ++i)
    sent += std::to_string(i) + '\n';
  std::thread pusher([&] {
    for (std::size_t at = 0; at < sent.size();) {
      const std::size_t end = sent.find('\n', at) + 1;
      if (ring.push(std::string_view(sent).substr(at, end - at)))
        at = end;
      else
        std::this_thread::yield();
    }
  });
  while (got.size() < sent.size()) {
    const std::string piece = waiting(ring);
    CHECK((piece.empty() || piece.back() == '\n'));  // never half of what was pushed
    got += piece;
    ring.consume(piece.size());
    if (piece.empty()) std::this_thread::yield();
  }
  pusher.join();
  CHECK(got == sent);
}

}  // namespace tollgate::app
