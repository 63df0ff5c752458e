#include "policies/known_keys.hpp"

#include <doctest/doctest.h>

#include "config/load.hpp"
#include "tests/unit/policies/support.hpp"

namespace tollgate::policies {
namespace {

const std::string secret = "tg-prod-0123456789abcdefghijkl";
const SystemTime now = SystemTime(std::chrono::seconds(1'800'000'000));

config::Config with(const std::string& tenant) {
  config::KeyConfig key;
  key.id = "prod";
  key.sha256 = config::sha256_hex(secret);
  key.expires = std::chrono::sys_seconds(std::chrono::seconds(1'800'000'060));
  config::Config config;
  config.tenants[tenant].keys = {key};
  return config;
}

}  // namespace

TEST_CASE("SipHash is the one of its authors") {
  const Tag key{.low = 0x0706050403020100, .high = 0x0f0e0d0c0b0a0908};
  CHECK(sip_hash(key, "") == Tag{.low = 0xe6a825ba047f81a3, .high = 0x930255c71472f66d});
  CHECK(sip_hash(key, std::string_view("\0", 1)) ==
        Tag{.low = 0x44af996bd8c187da, .high = 0x45fc229b11597634});
}

TEST_CASE("a known key is found again until its time is over, no other secret ever") {
  const Keys keys(with("acme"));
  KnownKeys known;
  for (int again = 0; again < 2; ++again) {
    const Key* const found = known.find(keys.table, secret, now);
    REQUIRE(found != nullptr);
    CHECK(found->tenant->name == "acme");
    CHECK(known.find(keys.table, secret + "x", now) == nullptr);
    CHECK(known.find(keys.table, secret.substr(0, secret.size() - 1), now) == nullptr);
    CHECK(known.find(keys.table, "", now) == nullptr);
    CHECK(known.find(keys.table, std::string(100000, 'a'), now) == nullptr);
  }
  CHECK(known.find(keys.table, secret, now + std::chrono::seconds(60)) == nullptr);
}

TEST_CASE("what was known of another table is forgotten") {
  KnownKeys known;
  {
    const Keys before(with("acme"));
    REQUIRE(known.find(before.table, secret, now) != nullptr);
  }
  known.forget();
  const Keys after(with("globex"));
  const Key* const found = known.find(after.table, secret, now);
  REQUIRE(found != nullptr);
  CHECK(found->tenant->name == "globex");
}

}  // namespace tollgate::policies
