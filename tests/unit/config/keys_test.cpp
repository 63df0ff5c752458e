#include <doctest/doctest.h>
#include <set>

#include "tests/unit/config/support.hpp"

using namespace tollgate::config;

TEST_CASE("a new key and its line belong together") {
  std::set<std::string> secrets;
  for (int i = 0; i < 200; ++i) {
    const NewKey key = make_key("acme", "acme-prod");
    REQUIRE(key.secret.starts_with("tg-acme-prod-"));
    const std::string random = key.secret.substr(key.secret.rfind('-') + 1);
    CHECK(random.size() == 22);  // base62: 131 bits
    CHECK(random.find_first_not_of(
              "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
          std::string::npos);
    CHECK(key.yaml_line == "- {id: acme-prod, sha256: \"" + sha256_hex(key.secret) + "\"}");
    secrets.insert(key.secret);
  }
  CHECK(secrets.size() == 200);
}

TEST_CASE("the line can be pasted, whatever the tenant and the id") {
  for (const char* tenant : {"acme", "9", "a b", "-x", "\xc3\xa9t\xc3\xa9", "null"}) {
    for (const char* id : {"", "123", "1e5", "true", "null", "a.b_c-d"}) {
      const NewKey key = make_key(tenant, id);
      const Loaded loaded =
          load("version: 1\ntenants:\n  t:\n    keys:\n      " + key.yaml_line + "\n");
      INFO(key.yaml_line);
      REQUIRE(texts(loaded) == std::vector<std::string>{});
      const KeyConfig& read = loaded.config->tenants.at("t").keys.at(0);
      CHECK(key.secret.substr(3, key.secret.rfind('-') - 3) == read.id);
      CHECK(read.sha256 == sha256_hex(key.secret));
      if (*id != '\0') CHECK(read.id == id);
    }
  }
}

TEST_CASE("ids and patterns") {
  CHECK(valid_key_id("acme-prod.1_x"));
  for (const char* id : {"", "-a", ".a", "a b", "a/b", "\xc3\xa9"})
    CHECK_FALSE(valid_key_id(id));
  CHECK(valid_key_id(std::string(64, 'a')));
  CHECK_FALSE(valid_key_id(std::string(65, 'a')));
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(matches("gpt-*", "gpt-4o"));
  CHECK(matches("*", "x"));
  CHECK(matches("gpt", "gpt"));
  CHECK_FALSE(matches("gpt", "gpt-4o"));
  CHECK_FALSE(matches("gpt-*", "gpt"));
}
