#include "gateway/wire/json_text.hpp"

#include <array>
#include <cstdint>
#include <doctest/doctest.h>
#include <limits>
#include <string>
#include <string_view>

#include "gateway/wire/json_writer.hpp"

using namespace tollgate::wire;

TEST_CASE("json_text: pieces, strings and numbers, one text after another") {
  JsonText text;
  CHECK(text.view().empty());
  for (int i = 0; i < 2; ++i) {
    text.clear();
    text.piece(R"({"a":)").string("b\"c").piece(R"(,"n":)").number(-7).piece(R"(,"e":)");
    text.string_or_null("").piece(",").string("").piece(R"(,"s":)").string_or_null("x");
    text.piece(R"(,"t":)").boolean(true).piece("}");
    CHECK(text.view() == R"({"a":"b\"c","n":-7,"e":null,"","s":"x","t":true})");
  }
  text.clear();
  text.number(std::numeric_limits<std::int64_t>::min()).piece(" ");
  text.number(std::numeric_limits<std::uint64_t>::max());
  CHECK(text.view() == "-9223372036854775808 18446744073709551615");
}

TEST_CASE("json_text: strings of every length are as JsonWriter's, with each byte at each place") {
  JsonText text;
  for (std::size_t length = 1; length < 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (const char special : {'x', '"', '\\', '\n', '\x1F', '\x7F', '\x80', '\xC3'}) {
        std::string value(length, 'v');
        value[at] = special;
        std::string expected = "[";
        append_quoted(expected, value);
        text.clear();
        text.piece("[").string(value);
        REQUIRE(text.view() == expected);
      }
    }
  }
}

TEST_CASE("json_text: it grows as it must and keeps what it has") {
  JsonText text;
  std::string expected;
  for (std::size_t length = 0; length < 3000; length += 7) {
    const std::string value(length, length % 2 == 0 ? 'v' : '\n');
    text.string(value);
    append_quoted(expected, value);
  }
  CHECK(text.view() == expected);
}

TEST_CASE("plain text: numbers of every length") {
  std::uint64_t ten = 1;
  for (int digits = 0; digits < 20; ++digits, ten *= 10) {
    for (const std::uint64_t number : {ten - 1, ten, ten + 1, ten * 9 / 8, ten / 3}) {
      std::array<char, number_digits_max> text{};
      char* const end = put_number(text.data(), number);
      CHECK(std::string(text.data(), end) == std::to_string(number));
    }
  }
}
