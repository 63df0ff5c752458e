// The URL and the nodes of `store.redis`.
#include "gateway/net/redis/settings.hpp"

#include <doctest/doctest.h>

using namespace tollgate;
using namespace tollgate::net;

namespace {

Result<RedisSettings> settings(std::string url) {
  config::RedisConfig config;
  config.url.value = std::move(url);
  return RedisSettings::from(config);
}

}  // namespace

TEST_CASE("URL: user, password, host, port, database and TLS") {
  const auto full = settings("rediss://gate:p%40ss%3a@[::1]:7000/12");
  REQUIRE(full);
  CHECK(full->tls);
  CHECK(full->user == "gate");
  CHECK(full->password == "p@ss:");
  CHECK(full->endpoint == RedisEndpoint{"::1", 7000});
  CHECK(full->database == 12);
  const auto bare = settings("redis://cache");
  REQUIRE(bare);
  CHECK_FALSE(bare->tls);
  CHECK(bare->endpoint == RedisEndpoint{"cache", 6379});
  CHECK(bare->database == 0);
  const auto raw = settings("redis://:a@b/c%@h:1/");
  REQUIRE(raw);
  CHECK(raw->user.empty());
  CHECK(raw->password == "a@b/c%");
  CHECK(raw->endpoint == RedisEndpoint{"h", 1});
}

TEST_CASE("a URL that cannot be read is named, its password is not") {
  for (const std::string url :
       {"http://:hunter2@h", "redis://:hunter2@h:99999", "redis://:hunter2@h/x",
        "redis://:hunter2@[::1", "redis://:hunter2@h:0"}) {
    CAPTURE(url);
    const auto read = settings(url);
    REQUIRE_FALSE(read);
    CHECK(read.error().message.starts_with("store.redis.url"));
    CHECK(read.error().message.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("nodes: sentinels have a port of their own; without any the URL's host is asked") {
  config::RedisConfig config;
  config.url.value = "redis://first:7001";
  config.mode = config::RedisMode::sentinel;
  config.nodes = {"a", "b:1234"};
  auto read = RedisSettings::from(config);
  REQUIRE(read);
  CHECK(read->nodes == std::vector<RedisEndpoint>{{"a", 26379}, {"b", 1234}});
  config.nodes.clear();
  read = RedisSettings::from(config);
  REQUIRE(read);
  CHECK(read->nodes == std::vector<RedisEndpoint>{{"first", 7001}});
}
