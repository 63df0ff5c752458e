// A real cluster of three masters, with a slot on its way from one to another.
#include <algorithm>
#include <array>

#include "gateway/net/redis/slots.hpp"
#include "server.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

struct Cluster {
  Cluster() {
    std::vector<std::string> create{"redis-cli", "--cluster", "create"};
    for (const auto& node : nodes)
      create.push_back(node->endpoint().text());
    create.emplace_back("--cluster-yes");
    REQUIRE(run_program(create));
    for (auto& node : nodes)
      node->await_line("Cluster state changed: ok");
  }
  static std::unique_ptr<RedisServer> node() {
    return std::make_unique<RedisServer>(std::vector<std::string>{
        "--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port())});
  }
  RedisSettings settings() const {
    RedisSettings settings = patient(nodes[0]->endpoint());
    settings.mode = config::RedisMode::cluster;
    return settings;
  }
  std::array<std::unique_ptr<RedisServer>, 3> nodes{node(), node(), node()};
};

/// A node asked directly.
struct Node : Asker {
  explicit Node(const RedisServer& server) : Asker(patient(server.endpoint())) {
    id = text("CLUSTER MYID");
  }
  std::string errors(const std::string& of) {
    const std::string stats = text("INFO errorstats");
    const std::size_t at = stats.find("errorstat_" + of + ":count=");
    if (at == std::string::npos) return "0";
    const std::size_t from = stats.find('=', at) + 1;
    return stats.substr(from, stats.find('\r', from) - from);
  }
  std::string id;
};

/// A slot between two nodes: from whoever has key `foo` to another.
struct Move {
  explicit Move(Cluster& cluster) {
    for (auto& server : cluster.nodes) {
      const auto node = std::make_shared<Node>(*server);
      const bool has = !node->text("GET foo").starts_with("MOVED");
      (has ? from : to) = node;
      if (!has) to_port = std::to_string(server->port());
    }
    REQUIRE(from);
    REQUIRE(to->text("CLUSTER SETSLOT " + slot + " IMPORTING " + from->id) == "OK");
    REQUIRE(from->text("CLUSTER SETSLOT " + slot + " MIGRATING " + to->id) == "OK");
  }
  void key(const std::string& name) {
    REQUIRE(from->text("MIGRATE 127.0.0.1 " + to_port + " " + name + " 0 5000") == "OK");
  }
  void finish() {
    REQUIRE(to->text("CLUSTER SETSLOT " + slot + " NODE " + to->id) == "OK");
    REQUIRE(from->text("CLUSTER SETSLOT " + slot + " NODE " + to->id) == "OK");
  }
  std::string slot = std::to_string(slot_of("foo"));
  std::shared_ptr<Node> from, to;
  std::string to_port;
};

}  // namespace

TEST_CASE("cluster: our slots are Redis' own, and each key goes straight to its node") {
  Cluster cluster;
  Asker asker(cluster.settings());
  for (const char* key : {"foo", "a{tenant}b", "{}x", "{{b}}", "k1", "k2", "k3", "k4"}) {
    CAPTURE(key);
    CHECK(asker.text(std::string("SET ") + key + " v") == "OK");
    CHECK(asker.text(std::string("GET ") + key) == "v");
    const auto slot = asker.now(std::string("CLUSTER KEYSLOT ") + key);
    REQUIRE(slot);
    CHECK(slot->integer == slot_of(key));
  }
  for (auto& server : cluster.nodes)
    CHECK(Node(*server).errors("MOVED") == "0");
  CHECK(asker.client->replication_id("foo").size() == 40);
}

TEST_CASE("cluster: ASK is followed while a slot moves, MOVED once when it has moved") {
  Cluster cluster;
  Asker asker(cluster.settings());
  CHECK(asker.text("SET foo 1") == "OK");
  CHECK(asker.text("SET {foo}stays 2") == "OK");
  Move move(cluster);
  const std::string moved_before = move.from->errors("MOVED");
  move.key("foo");
  CHECK(asker.text("GET foo") == "1");
  CHECK(asker.text("SET {foo}new 3") == "OK");
  CHECK(move.from->errors("ASK") == "2");
  CHECK(asker.text("GET {foo}stays") == "2");
  move.key("{foo}stays");
  move.finish();
  for (int i = 0; i < 5; ++i)
    CHECK(asker.text("GET {foo}new") == "3");
  CHECK(std::stoi(move.from->errors("MOVED")) == std::stoi(moved_before) + 1);
  CHECK(move.from->errors("ASK") == "2");
}

TEST_CASE("cluster: keys torn apart by a move are asked for until they are together again") {
  Cluster cluster;
  RedisSettings settings = cluster.settings();
  Asker asker(settings);
  CHECK(asker.text("SET {foo}a 1") == "OK");
  CHECK(asker.text("SET {foo}b 2") == "OK");
  Move move(cluster);
  move.key("{foo}a");
  Result<RedisReply> both;
  bool ended = false;
  asker.worker.run([&]() -> Awaitable<void> {
    start(asker.ask("MGET {foo}a {foo}b"), [&](const std::exception_ptr&, Result<RedisReply> got) {
      both = std::move(got);
      ended = true;
    });
    // Something was answered on that connection since, so TRYAGAIN was too.
    while (move.from->errors("TRYAGAIN") == "0")
      co_await asker.ask("GET {foo}b");
    CHECK_FALSE(ended);
    move.key("{foo}b");
    move.finish();
    while (!ended)
      co_await asker.ask("GET {foo}b");
  }());
  REQUIRE(both);
  REQUIRE(both->items.size() == 2);
  CHECK(both->items[0].text == "1");
  CHECK(both->items[1].text == "2");
}

TEST_CASE("cluster: a node that is away fails its own keys only; no cluster at all is told") {
  Cluster cluster;
  Asker asker(cluster.settings());
  CHECK(asker.text("SET foo 1") == "OK");
  CHECK(asker.text("SET bar 1") == "OK");
  REQUIRE(asker.client->replication_id("foo") != asker.client->replication_id("bar"));
  for (auto& server : cluster.nodes) {
    if (Node(*server).text("GET foo") == "1") server->kill();
  }
  const auto away = asker.now("GET foo");
  REQUIRE_FALSE(away);
  CHECK(away.error().kind == ErrorKind::store_unavailable);
  CHECK(asker.text("GET bar") == "1");
  RedisServer plain;
  RedisSettings settings = patient(plain.endpoint());
  settings.mode = config::RedisMode::cluster;
  Asker mistaken(settings);
  CHECK(mistaken.text("GET foo").find("cluster support disabled") != std::string::npos);
}
