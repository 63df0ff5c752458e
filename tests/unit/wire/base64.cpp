#include "gateway/wire/base64.hpp"

#include <cstdint>
#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

using tollgate::wire::base64_decode;
using tollgate::wire::base64_encode;

namespace {
struct Case {
  std::string_view bytes, text;
};
// RFC 4648, section 10.
constexpr Case rfc[] = {{"", ""},
                        {"f", "Zg=="},
                        {"fo", "Zm8="},
                        {"foo", "Zm9v"},
                        {"foob", "Zm9vYg=="},
                        {"fooba", "Zm9vYmE="},
                        {"foobar", "Zm9vYmFy"}};
}  // namespace

TEST_CASE("base64: the vectors of RFC 4648, both ways, with and without padding") {
  for (const Case& c : rfc) {
    CAPTURE(c.text);
    CHECK(base64_encode(c.bytes) == c.text);
    CHECK(base64_decode(c.text) == c.bytes);
    CHECK(base64_decode(c.text.substr(0, c.text.find('='))) == c.bytes);
  }
}

TEST_CASE("base64: every byte value survives at every length") {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST_CASE("base64: the URL-safe alphabet means the same bytes") {
  CHECK(base64_encode("\xFB\xEF\xBE\xFF\xFF\xFF") == "++++////");
  CHECK(base64_decode("----____") == base64_decode("++++////"));
}

TEST_CASE("base64: what is no base64 is refused") {
  for (const std::string_view text : {"A", "AAAAA", "AA=", "A===", "AAA==", "AAAA=", "====", "=",
                                      "AA AA", "AAAA\n", "AA*A", "A=AA", "AA=A",
                                      "\xC3\xA4"
                                      "AA"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
  CHECK_FALSE(base64_decode(std::string_view("AA\0A", 4)).has_value());
}
