#include "gateway/wire/scan.hpp"

#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

using tollgate::wire::find_line_end;
using tollgate::wire::json_ascii_run;
using tollgate::wire::json_plain_run;

namespace {
std::size_t plain_run_slowly(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x20 && text[at] != '"' &&
         text[at] != '\\')
    ++at;
  return at;
}
}  // namespace

TEST_CASE("scan: every byte value is judged alike at every place of a block and in its tail") {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 40; ++at) {
      std::string text(40, 'x');
      text[at] = static_cast<char>(byte);
      CHECK(json_plain_run(text) == plain_run_slowly(text));
      const bool ends = byte == '\r' || byte == '\n';
      CHECK(find_line_end(text) == (ends ? at : text.size()));
    }
  }
}

TEST_CASE("scan: one match at every place of a text of every length") {
  for (std::size_t length = 1; length < 150; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'x');
      text[at] = '"';
      REQUIRE(json_plain_run(text) == at);
      text[at] = '\x80';
      REQUIRE(json_ascii_run(text) == at);
      REQUIRE(json_plain_run(text) == length);
    }
  }
}

TEST_CASE("scan: long texts, a match at every place beside the steps of wide vectors") {
  for (const std::size_t length : {127U, 128U, 129U, 255U, 256U, 257U, 700U, 1100U}) {
    for (std::size_t at = 0; at <= length; ++at) {
      std::string text(length, 'x');
      for (const char byte : {'"', '\\', '\x1F', '\0'}) {
        if (at < length) text[at] = byte;
        REQUIRE(json_plain_run(text) == at);
      }
      for (const char byte : {'"', '\\', '\x1F', '\0', '\x80', '\xFF'}) {
        if (at < length) text[at] = byte;
        REQUIRE(json_ascii_run(text) == at);
      }
      if (at < length) text[at] = '\x20';
      REQUIRE(json_plain_run(text) == length);
      REQUIRE(json_ascii_run(text) == length);
    }
  }
}

TEST_CASE("scan: every byte value within the steps of wide vectors") {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 130; at < 270; at += 9) {
      std::string text(400, 'x');
      text[at] = static_cast<char>(byte);
      const std::size_t plain = plain_run_slowly(text);
      REQUIRE(json_plain_run(text) == plain);
      REQUIRE(json_ascii_run(text) == (byte > 0x7F ? at : plain));
    }
  }
}

TEST_CASE("scan: the first of several matches wins, and nothing is read behind the end") {
  const std::string text = "0123456789\"bcdef\\01234567\"";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string exact = text.substr(0, length);  // its own allocation: ASan sees an overrun
    CHECK(json_plain_run(exact) == plain_run_slowly(exact));
  }
  CHECK(find_line_end("") == 0);
}
