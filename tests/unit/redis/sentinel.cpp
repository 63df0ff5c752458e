// A master, its replica and a real sentinel.
#include <boost/asio/steady_timer.hpp>

#include "server.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

std::string port_of(const RedisServer& server) { return std::to_string(server.port()); }

RedisSettings watched(const std::vector<RedisEndpoint>& sentinels) {
  RedisSettings settings = patient({"unused.invalid", 1});
  settings.mode = config::RedisMode::sentinel;
  settings.master = "mine";
  settings.nodes = sentinels;
  return settings;
}

/// The port that the server behind the client listens on.
std::string answering_port(Asker& asker) {
  const std::string info = asker.text("INFO server");
  const std::size_t at = info.find("tcp_port:") + 9;
  return info.substr(at, info.find('\r', at) - at);
}

/// Asks again until the server with that port answers; hangs where it never does.
void ask_until_at(Asker& asker, const std::string& port) {
  asker.worker.run([&]() -> Awaitable<void> {
    for (;;) {
      const auto reply = co_await asker.ask("INFO server");
      if (reply && reply->text.find("tcp_port:" + port + "\r") != std::string::npos) co_return;
      boost::asio::steady_timer timer(asker.worker.io, 20ms);
      co_await timer.async_wait(as_task);
    }
  }());
}

/// Asks for a failover until the sentinel has seen enough of the replica to begin one.
void fail_over(const RedisServer& sentinel) {
  Asker asker(patient(sentinel.endpoint()));
  asker.worker.run([&]() -> Awaitable<void> {
    for (;;) {
      const auto reply = co_await asker.ask("SENTINEL FAILOVER mine");
      if (reply && reply->text == "OK") co_return;
      boost::asio::steady_timer timer(asker.worker.io, 20ms);
      co_await timer.async_wait(as_task);
    }
  }());
}

}  // namespace

TEST_CASE("M23: a failover is followed to the new master, which is somebody else") {
  RedisServer master;
  RedisServer replica({"--replicaof", "127.0.0.1", port_of(master)});
  replica.await_line("Finished with success");
  RedisServer sentinel("mine", master.port());
  sentinel.await_line("+slave slave");
  // The first of the sentinels is dead: the next one is asked.
  Asker asker(watched({{"127.0.0.1", free_port()}, sentinel.endpoint()}));
  CHECK(answering_port(asker) == port_of(master));
  const std::string before = asker.client->replication_id("");
  CHECK(before.size() == 40);
  fail_over(sentinel);
  sentinel.await_line("+switch-master");
  // The old master is left running, and answers: nothing fails that would make us ask.
  ask_until_at(asker, port_of(replica));
  CHECK(asker.text("SET k v") == "OK");
  CHECK(asker.client->replication_id("").size() == 40);
  CHECK(asker.client->replication_id("") != before);
}

TEST_CASE("a master that dies is replaced; callers are told until then, and find the new one") {
  RedisServer master;
  RedisServer replica({"--replicaof", "127.0.0.1", port_of(master)});
  replica.await_line("Finished with success");
  RedisServer sentinel("mine", master.port());
  sentinel.await_line("+slave slave");
  Asker asker(watched({sentinel.endpoint()}));
  CHECK(answering_port(asker) == port_of(master));
  master.kill();
  CHECK_FALSE(asker.now("PING"));
  CHECK(asker.text_at_last("SET k v") == "OK");
  CHECK(answering_port(asker) == port_of(replica));
}

TEST_CASE("whom a sentinel names but who is a replica is not believed") {
  RedisServer master;
  RedisServer replica({"--replicaof", "127.0.0.1", port_of(master)});
  replica.await_line("Finished with success");
  RedisSettings settings = patient(replica.endpoint());
  Worker worker;
  auto link = std::make_shared<RedisLink>(worker.parts(), settings, replica.endpoint(),
                                          RedisHandshake::Peer::master);
  Result<RedisReply> reply;
  worker.run([&]() -> Awaitable<void> {
    const std::vector<std::string_view> ping{"PING"};
    reply = co_await link->call(ping);
  }());
  REQUIRE_FALSE(reply);
  CHECK(reply.error().detail.find("it is no master but a slave") != std::string::npos);
}

TEST_CASE("a master that a sentinel does not know, and no sentinel at all, are told") {
  RedisServer master;
  RedisServer sentinel("other", master.port());
  Asker unknown(watched({sentinel.endpoint()}));
  CHECK(unknown.text("PING").find("knows no such master") != std::string::npos);
  Asker alone(watched({{"127.0.0.1", free_port()}}));
  const auto reply = alone.now("PING");
  REQUIRE_FALSE(reply);
  CHECK(policies::never_sent(reply.error()));
  CHECK(reply.error().detail.find("refused") != std::string::npos);
}
