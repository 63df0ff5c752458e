#include "gateway/core/http.hpp"

#include <doctest/doctest.h>

namespace tollgate {

TEST_CASE("header names are compared without case, and only whole") {
  CHECK(iequals("Content-Type", "content-type"));
  CHECK_FALSE(iequals("content-typ", "content-type"));
  RequestHead head;
  head.headers = {{"X-A", "1"}, {"x-a", "2"}, {"x-empty", ""}};
  CHECK(head.header("x-A") == "1");
  CHECK(head.has("X-EMPTY"));
  CHECK_FALSE(head.has("x-b"));
}

TEST_CASE("only letters have a case, at every place of a name of every length") {
  for (std::size_t length = 1; length <= 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      const auto name = [&](char c) {
        std::string text(length, 'n');
        text[at] = c;
        return text;
      };
      for (const char c : {'a', 'm', 'z'})
        CHECK(iequals(name(c), name(static_cast<char>(c - 32))));
      for (const auto& [a, b] : {std::pair('@', '`'), std::pair('[', '{'), std::pair('\r', '-'),
                                 std::pair('\xC1', '\xE1'), std::pair('A', '\xC1')})
        CHECK_FALSE(iequals(name(a), name(b)));
    }
  }
}

TEST_CASE("a value cannot break out of its line") {
  ReplyHead head;
  head.add("x-model", std::string_view("a\r\nset-cookie: b\0c", 18));
  CHECK(head.fields == "x-model: a  set-cookie: b c\r\n");
}

TEST_CASE("a line's end is found at every place of a value of every length") {
  for (const char breaks : {'\r', '\n', '\0'}) {
    for (std::size_t length = 1; length <= 40; ++length) {
      for (std::size_t at = 0; at < length; ++at) {
        std::string value(length, 'v'), fields = "x: y\r\n";
        value[at] = breaks;
        append_header(fields, "n", value);
        value[at] = ' ';
        CHECK(fields == "x: y\r\nn: " + value + "\r\n");
      }
    }
  }
  std::string first;
  append_header(first, "n", "");
  append_header(first, "n", "\t~\x80\xFF");
  CHECK(first == "n: \r\nn: \t~\x80\xFF\r\n");
}

TEST_CASE("a literal name and one that is known later make the same line") {
  for (const std::string_view value : {"", "v", "four", "a value of eight bytes and more\n"}) {
    std::string literal = "a: b\r\n", later = literal;
    append_header(literal, "x-name", value);
    append_header(later, std::string_view("x-name"), value);
    CHECK(literal == later);
    CHECK(literal.size() == 6 + 6 + 2 + value.size() + 2);
  }
}

TEST_CASE("header fields keep names and values apart, in order, and through copies") {
  HeaderFields fields{{"content-type", "text/plain"}, {"x-empty", ""}};
  fields.add("X-Folded", "one");
  fields.extend_last(" two");
  HeaderFields copy = fields;
  fields = {};
  CHECK(fields.empty());
  CHECK(copy.size() == 3);
  CHECK(copy.find("x-folded") == "one two");
  CHECK(copy.find("CONTENT-TYPE") == "text/plain");
  CHECK(copy.find("x-absent").empty());
  CHECK(copy.list() ==
        HeaderList{{"content-type", "text/plain"}, {"x-empty", ""}, {"X-Folded", "one two"}});
  CHECK(HeaderFields(copy.list()).list() == copy.list());
}

}  // namespace tollgate
