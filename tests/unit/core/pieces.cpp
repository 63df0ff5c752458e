#include "gateway/core/pieces.hpp"

#include <doctest/doctest.h>

namespace tollgate {

TEST_CASE("owned pieces stay true when more come and when all is moved") {
  Pieces pieces;
  pieces.own("short");  // fits into the string object itself: its bytes would move with it
  pieces.view("-");
  for (int i = 0; i < 100; ++i)
    pieces.own(std::to_string(i % 10));
  const Pieces moved = std::move(pieces);
  CHECK(moved.joined().starts_with("short-0123456789"));
  CHECK(moved.size() == 106);
  CHECK(moved.joined().size() == moved.size());
}

TEST_CASE("empty pieces are none") {
  Pieces pieces;
  pieces.view("");
  pieces.own("");
  CHECK(pieces.empty());
  CHECK(pieces.parts().empty());
  pieces.own("x");
  pieces.clear();
  CHECK(pieces.empty());
}

}  // namespace tollgate
