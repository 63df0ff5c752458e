#include "config/values.hpp"

#include <doctest/doctest.h>

#include "tests/unit/config/support.hpp"

using namespace tollgate::config;

TEST_CASE("durations") {
  const std::vector<std::pair<std::string, long>> good = {
      {"0", 0},        {"0s", 0},         {"250ms", 250},         {"30s", 30000},
      {"10m", 600000}, {"24h", 86400000}, {"3650d", 315360000000}};
  for (const auto& [text, count] : good) {
    REQUIRE_MESSAGE(parse_duration(text), text);
    CHECK(parse_duration(text)->count() == count);
  }
  for (const char* text : {"", "s", "5", "1.5s", "-1s", "05s", "1 s", "1S", "1m30s", "3651d", "1w",
                           "99999999999999999999s", "18446744073709551615d"}) {
    CHECK_MESSAGE(!parse_duration(text), text);
  }
  for (const char* text : {"250ms", "30s", "10m", "5h", "30d", "0s", "1500ms"}) {
    CHECK(to_text(*parse_duration(text)) == text);
  }
}

TEST_CASE("sizes") {
  CHECK(parse_bytes("64KiB")->count == 65536);
  CHECK(parse_bytes("4GiB")->count == 4ULL << 30U);
  CHECK(parse_bytes("17")->count == 17);
  for (const char* text : {"", "KiB", "1KB", "1kib", "1.5MiB", "01KiB", "9999999999TiB", "-1"}) {
    CHECK_MESSAGE(!parse_bytes(text), text);
  }
  CHECK(to_text(Bytes{65536}) == "64KiB");
  CHECK(to_text(Bytes{65537}) == "65537");
  CHECK(to_text(Bytes{0}) == "0");
}

TEST_CASE("addresses") {
  CHECK(*parse_host_port("127.0.0.1:80") == HostPort{"127.0.0.1", 80});
  CHECK(*parse_host_port(":0") == HostPort{"", 0});
  CHECK(*parse_host_port("[::]:65535") == HostPort{"::", 65535});
  CHECK(*parse_host_port("gate.internal:1") == HostPort{"gate.internal", 1});
  for (const char* text : {"", "80", "h:", "h:65536", "h:080", "::1:80", "[h]:80", "1.2.3:80",
                           "256.1.1.1:1", "h h:1", "[::1]", "http://h:1", "h:-1"}) {
    CHECK_MESSAGE(!parse_host_port(text), text);
  }
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"}) {
    CHECK_MESSAGE(parse_host_port(text)->loopback(), text);
  }
  for (const char* text : {":1", "0.0.0.0:1", "[::]:1", "10.0.0.1:1", "127.evil.example:1"}) {
    CHECK_MESSAGE(!parse_host_port(text)->loopback(), text);
  }
}

TEST_CASE("dates and times") {
  const std::vector<std::pair<std::string, std::string>> good = {
      {"2027-01-01", "2027-01-01T00:00:00Z"},
      {"2028-02-29", "2028-02-29T00:00:00Z"},
      {"2027-01-01T12:30:45Z", "2027-01-01T12:30:45Z"},
      {"2027-01-01t01:00:00.123+02:00", "2026-12-31T23:00:00Z"},
      {"2027-01-01T23:30:00-01:00", "2027-01-02T00:30:00Z"}};
  for (const auto& [text, same] : good) {
    REQUIRE_MESSAGE(parse_time(text), text);
    CHECK(to_text(*parse_time(text)) == same);
  }
  for (const char* text :
       {"", "2027", "2027-1-1", "2027-02-29", "2027-13-01", "2027-00-01", "2027-01-01T",
        "2027-01-01T12:00Z", "2027-01-01T25:00:00Z", "2027-01-01T12:00:00", "2027-01-01T12:00:00.Z",
        "2027-01-01T12:00:00ZZ", "27-01-01", "2027/01/01"}) {
    CHECK_MESSAGE(!parse_time(text), text);
  }
}

TEST_CASE("what a plain scalar is") {
  const std::vector<std::pair<std::string, Plain>> cases = {
      {"", Plain::null},          {"~", Plain::null},        {"null", Plain::null},
      {"true", Plain::boolean},   {"FALSE", Plain::boolean}, {"yes", Plain::text},
      {"on", Plain::text},        {"0", Plain::number},      {"-1.5e+3", Plain::number},
      {"012", Plain::not_json},   {"0x1F", Plain::not_json}, {"0o17", Plain::not_json},
      {".5", Plain::not_json},    {"5.", Plain::not_json},   {"+1", Plain::not_json},
      {".inf", Plain::not_json},  {"1e", Plain::text},       {"1.2.3", Plain::text},
      {".", Plain::text},         {"-", Plain::text},        {"gpt-4", Plain::text},
      {"2027-01-01", Plain::text}};
  for (const auto& [text, plain] : cases)
    CHECK_MESSAGE(classify(text) == plain, text);
}

TEST_CASE("suggestions stay within two edits") {
  const std::vector<std::string_view> words{"max_tokens", "model", "n"};
  CHECK(suggest("max_token", words) == "max_tokens");
  CHECK(suggest("maxtokns", words) == "max_tokens");
  CHECK(suggest("mx_tkn", words).empty());
  CHECK(suggest("mdoel", words) == "model");
  CHECK(suggest("x", words).empty());
  CHECK(suggest("", words).empty());
  CHECK(suggest(std::string(5000, 'm'), words).empty());
}
