#include "policies/keys.hpp"

#include <doctest/doctest.h>

#include "config/load.hpp"
#include "tests/unit/policies/support.hpp"

namespace tollgate::policies {
namespace {

const std::string secret = "tg-team-a-prod-0123456789abcdefghijkl";  // the id holds dashes
const SystemTime now = SystemTime(std::chrono::seconds(1'800'000'000));

config::KeyConfig key(const std::string& id, const std::string& text) {
  config::KeyConfig made;
  made.id = id;
  made.sha256 = config::sha256_hex(text);
  return made;
}

config::Config with(std::vector<config::KeyConfig> keys) {
  config::Config config;
  config.tenants["acme"].keys = std::move(keys);
  return config;
}

}  // namespace

TEST_CASE("a key is found by the id before its last dash, and only whole") {
  const Keys keys(with({key("team-a-prod", secret)}));
  const KeyTable& table = keys.table;
  REQUIRE(table.find(secret, now) != nullptr);
  CHECK(table.find(secret, now)->tenant->name == "acme");
  CHECK(table.find(secret + "x", now) == nullptr);
  CHECK(table.find("tg-team-a-prod-", now) == nullptr);
  CHECK(table.find("tg-team-a-prod", now) == nullptr);
  CHECK(table.find("", now) == nullptr);
  CHECK(table.find(std::string(100000, 'a'), now) == nullptr);
  CHECK(table.find(config::sha256_hex(secret), now) == nullptr);
}

TEST_CASE("a key ends at its time") {
  config::KeyConfig entry = key("team-a-prod", secret);
  entry.expires = std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000));
  const Keys keys(with({entry}));
  const KeyTable& table = keys.table;
  CHECK(table.find(secret, now - std::chrono::seconds(1)) != nullptr);
  CHECK(table.find(secret, now) == nullptr);
}

TEST_CASE("lookup: hash takes keys of any form, and only those") {
  config::KeyConfig foreign = key("old", "sk-1234");
  foreign.by_hash = true;
  const Keys keys(with({foreign, key("team-a-prod", secret)}));
  const KeyTable& table = keys.table;
  REQUIRE(table.find("sk-1234", now) != nullptr);
  CHECK(table.find("sk-1234", now)->id == "old");
  CHECK(table.find("sk-1235", now) == nullptr);
  CHECK(table.find(secret, now)->id == "team-a-prod");
}

TEST_CASE("key and tenant must both allow a model") {
  config::KeyConfig narrow = key("team-a-prod", secret);
  narrow.models = {"gpt-*", "x"};
  config::Config config = with({narrow});
  config.tenants["acme"].models = {"gpt-4o", "claude-*"};
  const Keys keys(config);
  const KeyTable& table = keys.table;
  const Key& found = *table.find(secret, now);
  CHECK(may_use(found, "gpt-4o"));
  CHECK_FALSE(may_use(found, "gpt-5"));
  CHECK_FALSE(may_use(found, "claude-x"));
  CHECK_FALSE(may_use(found, "x"));
}

TEST_CASE("a parent's allowlist holds for its children") {
  config::Config config = with({key("team-a-prod", secret)});
  config.tenants["acme"].parent = "globex";
  config.tenants["globex"].models = {"gpt-*"};
  const Keys keys(config);
  const Key& found = *keys.table.find(secret, now);
  CHECK(may_use(found, "gpt-5"));
  CHECK_FALSE(may_use(found, "claude-x"));
  REQUIRE(found.scopes->scopes.size() == 3);
  CHECK(found.scopes->scopes[0]->label() == "key:team-a-prod");
  CHECK(found.scopes->scopes[1]->label() == "tenant:acme");
  CHECK(found.scopes->scopes[2]->label() == "tenant:globex");
  CHECK(found.scopes->scopes[0]->root == "globex");
}

TEST_CASE("auth: none implies an unlimited tenant where the file names none") {
  config::Config config;
  config.auth = config::Auth::none;
  const Keys keys(config);
  const KeyTable& table = keys.table;
  CHECK(table.anonymous().tenant->name == "default");
  CHECK(may_use(table.anonymous(), "anything"));
}

}  // namespace tollgate::policies
