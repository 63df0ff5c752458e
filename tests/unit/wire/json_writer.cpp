#include "gateway/wire/json_writer.hpp"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/wire/json_shape.hpp"

using namespace tollgate::wire;

namespace {
std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

template <class T>
std::string written(T value) {
  std::string out;
  JsonWriter(out).value(value);
  return out;
}
}  // namespace

TEST_CASE("json_writer: objects, arrays and commas") {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("a", 1).member("b", "two").member("c", std::string("three")).member("d", true);
  json.key("e").begin_array().value(1).value("x").null().begin_object().end_object();
  json.begin_array().end_array().end_array();
  json.raw_member("f", R"({"k":[]})").member("g", 0.5).member("h", std::uint32_t{7});
  json.end_object();
  CHECK(out == R"({"a":1,"b":"two","c":"three","d":true,"e":[1,"x",null,{},[]],)"
               R"("f":{"k":[]},"g":0.5,"h":7})");
  CHECK(JsonShape::read(out).has_value());
}

TEST_CASE("json_writer: names are escaped where they need it, literals and others") {
  const std::string_view odd = "q\"\n\xFF";
  const char* pointed = "p\\";
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("a\"b", 1).member("ü", 2).member(odd, 3).member(pointed, 4);
  json.member(std::string("s"), 5).raw_member("\x7F", "6").key("").null().end_object();
  CHECK(out ==
        "{\"a\\\"b\":1,\"ü\":2,\"q\\\"\\n\xEF\xBF\xBD\":3,\"p\\\\\":4,"
        "\"s\":5,\"\x7F\":6,\"\":null}");
  static_assert(JsonKey("tenant").plain());
  static_assert(!JsonKey("a\"b").plain() && !JsonKey("ü").plain());
  static_assert(!JsonKey(std::string_view("tenant")).plain());
}

TEST_CASE("json_writer: it appends to what is there") {
  std::string out = "data: ";
  JsonWriter(out).begin_object().member("a", false).end_object();
  CHECK(out == R"(data: {"a":false})");
}

TEST_CASE("json_writer: escapes") {
  CHECK(quoted("") == R"("")");
  CHECK(quoted(R"(a"b\c/)") == R"("a\"b\\c/")");
  CHECK(quoted("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(quoted(std::string_view("\0\x01\x1F\x7F", 4)) == "\"\\u0000\\u0001\\u001f\x7F\"");
  CHECK(quoted("äöü €  𝄞") == "\"äöü €  𝄞\"");
}

TEST_CASE("json_writer: broken UTF-8 becomes U+FFFD, one for each broken sequence") {
  struct Case {
    std::string_view in, out;
  };
  constexpr Case cases[] = {
      {"a\x80z", "a\xEF\xBF\xBDz"},                              // a tail alone
      {"a\xC3", "a\xEF\xBF\xBD"},                                // cut at the end
      {"\xE2\x82", "\xEF\xBF\xBD"},                              // cut three-byte sequence
      {"\xE2\x82x", "\xEF\xBF\xBDx"},                            // cut by a letter
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong slash
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // a surrogate
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xF0\x9F\x98", "\xEF\xBF\xBD"},
      {"\xFF\xC3\xA4", "\xEF\xBF\xBD\xC3\xA4"},
      {"\xFF\"\n", "\xEF\xBF\xBD\\\"\\n"},
  };
  for (const Case& c : cases) {
    std::string out;
    append_escaped(out, c.in);
    CHECK(out == c.out);
  }
}

TEST_CASE("json_writer: what needs care is found at every place of a text of every length") {
  struct Case {
    std::string_view in, out;
  };
  constexpr Case cases[] = {{"\"", "\\\""},
                            {"\n", "\\n"},
                            {"\x80", "\xEF\xBF\xBD"},
                            {"ä", "ä"},
                            {"ä\xC3", "ä\xEF\xBF\xBD"},
                            {"\"\xE2\x82\\", "\\\"\xEF\xBF\xBD\\\\"}};
  for (const Case& c : cases) {
    for (std::size_t before = 0; before < 40; ++before) {
      for (std::size_t behind = 0; behind < 40; behind += 3) {
        const std::string head(before, 'h');
        const std::string tail(behind, 't');
        REQUIRE(quoted(head + std::string(c.in) + tail) ==
                '"' + head + std::string(c.out) + tail + '"');
      }
    }
  }
}

TEST_CASE("json_writer: every two bytes give valid JSON") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const std::string body = "{\"k\":" + quoted(text) + "}";
      REQUIRE_MESSAGE(JsonShape::read(body).has_value(), body);
    }
  }
}

TEST_CASE("json_writer: numbers are the shortest that read back") {
  CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(written(0.1) == "0.1");
  CHECK(written(1.0) == "1");
  CHECK(written(-0.0) == "-0");
  CHECK(written(1e300) == "1e+300");
  CHECK(written(1.0 / 3.0) == "0.3333333333333333");
  for (const double number : {5e-324, 1.7976931348623157e308, 123456789.123, -2.5e-7}) {
    CHECK(json_double(written(number)) == number);
  }
}

TEST_CASE("json_writer: what JSON has no number for is null") {
  CHECK(written(std::nan("")) == "null");
  CHECK(written(std::numeric_limits<double>::infinity()) == "null");
  CHECK(written(-std::numeric_limits<double>::infinity()) == "null");
}
