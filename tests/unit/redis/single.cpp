// One real redis-server: what is asked, what goes wrong, what comes back.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "../net/client_certificates.hpp"
#include "server.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;
using policies::never_sent;
using policies::RedisScript;

namespace {

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("concurrent calls share one connection, each gets its own reply") {
  RedisServer server;
  Asker asker(patient(server.endpoint()));
  int right = 0;
  asker.worker.run([&]() -> Awaitable<void> {
    int open = 200;
    Gathering all;
    for (int i = 0; i < 200; ++i) {
      start(asker.ask("ECHO " + std::to_string(i)),
            [&, i](const std::exception_ptr&, Result<RedisReply> reply) {
              right += reply && reply->text == std::to_string(i) ? 1 : 0;
              if (--open == 0) all.release();
            });
    }
    co_await all.wait();
  }());
  CHECK(right == 200);
  const std::string clients = asker.text("CLIENT LIST");
  CHECK(holds(clients, " name=tollgate "));
  CHECK(std::ranges::count(clients, '\n') == 1);
  CHECK(asker.client->replication_id("") ==
        asker.text("INFO replication")
            .substr(asker.text("INFO replication").find("replid:") + 7, 40));
}

TEST_CASE("a script is sent once, then known by its name; its own errors are replies") {
  RedisServer server;
  Asker asker(patient(server.endpoint()));
  const auto script = RedisScript::of("return {KEYS[1], ARGV[1], tonumber(ARGV[1]) + 1}");
  CHECK(RedisScript::of("return 1").sha1 == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  const std::vector<std::string_view> keys{"k"}, args{"41"};
  for (int i = 0; i < 3; ++i) {
    Result<RedisReply> reply;
    asker.worker.run([&]() -> Awaitable<void> {
      reply = co_await asker.client->script(script, "k", keys, args);
    }());
    REQUIRE(reply);
    REQUIRE(reply->items.size() == 3);
    CHECK(reply->items[0].text == "k");
    CHECK(reply->items[2].integer == 42);
  }
  const std::string stats = asker.text("INFO commandstats");
  CHECK(holds(stats, "cmdstat_eval:calls=1,"));
  CHECK(holds(stats, "cmdstat_evalsha:calls=3,"));
  CHECK(holds(asker.text("INCR"), "ERR wrong number"));
}

TEST_CASE("a user, a password and a database; refused ones are told without the password") {
  RedisServer server(
      {"--user", "gate", "on", ">hunter2", "~*", "+@all", "--user", "default", "off"});
  RedisSettings settings = patient(server.endpoint());
  settings.user = "gate";
  settings.password = "hunter2";
  settings.database = 3;
  {
    Asker asker(settings);
    CHECK(asker.text("ACL WHOAMI") == "gate");
    CHECK(holds(asker.text("CLIENT LIST"), " db=3 "));
  }
  settings.password = "hunter3";
  Asker refused(settings);
  const auto reply = refused.now("PING");
  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == ErrorKind::store_unavailable);
  CHECK(never_sent(reply.error()));
  CHECK(holds(reply.error().detail, "WRONGPASS"));
  CHECK_FALSE(holds(reply.error().detail + reply.error().message, "hunter3"));
  settings.user.clear();
  settings.password.clear();
  Asker nobody(settings);
  CHECK(holds(nobody.text("PING"), "NOAUTH"));
}

TEST_CASE("TLS: the server's CA is believed, no other; unverified where that is wanted") {
  const Certificates files("IP:127.0.0.1");
  RedisServer server({"--tls-cert-file", files.certificate(), "--tls-key-file", files.key(),
                      "--tls-ca-cert-file", files.ca(), "--tls-auth-clients", "no"});
  RedisSettings settings = patient(server.endpoint());
  settings.tls = true;
  Asker stranger(settings);
  const auto refused = stranger.now("PING");
  REQUIRE_FALSE(refused);
  CHECK(holds(refused.error().detail, "TLS: "));
  settings.trust.ca_file = files.ca();
  Asker known(settings);
  CHECK(known.text("PING") == "PONG");
  settings.trust = {"", false};
  Asker careless(settings);
  CHECK(careless.text("PING") == "PONG");
}

TEST_CASE("no server: told at once, and nothing was sent") {
  Asker asker(patient({"127.0.0.1", free_port()}));
  const auto reply = asker.now("PING");
  REQUIRE_FALSE(reply);
  CHECK(never_sent(reply.error()));
  CHECK(holds(reply.error().detail, "refused"));
}

TEST_CASE("a call that gave up keeps its place: its late reply goes to nobody") {
  RedisServer server;
  RedisSettings settings = patient(server.endpoint());
  settings.command = 1s;
  Asker asker(settings);
  const auto id = asker.now("CLIENT ID");
  REQUIRE(id);
  server.freeze();
  const auto late = asker.now("ECHO late");
  REQUIRE_FALSE(late);
  CHECK_FALSE(never_sent(late.error()));
  CHECK(holds(late.error().detail, "no answer in time"));
  server.thaw();
  CHECK(asker.text("ECHO right") == "right");
  CHECK(asker.now("CLIENT ID")->integer == id->integer);
}

TEST_CASE("a server that has stopped answering is left alone, then found again") {
  RedisServer server;
  RedisSettings settings = patient(server.endpoint());
  REQUIRE(settings.nodes.size() == 1);
  settings.connect = 500ms;
  settings.command = 20ms;
  Asker asker(settings);
  CHECK(asker.text_at_last("PING") == "PONG");
  server.freeze();
  std::string why;
  for (int i = 0; i < 50 && !holds(why, "not asked after failures"); ++i)
    why = asker.text("PING");
  CHECK(holds(why, "not asked after failures"));
  server.thaw();
  CHECK(asker.text_at_last("PING") == "PONG");
}

TEST_CASE("M23: a server that was killed is found again as somebody else") {
  RedisServer server;
  Asker asker(patient(server.endpoint()));
  CHECK(asker.text("PING") == "PONG");
  const std::string before = asker.client->replication_id("");
  REQUIRE(before.size() == 40);
  server.kill();
  CHECK_FALSE(asker.now("PING"));
  server.start();
  CHECK(asker.text_at_last("PING") == "PONG");
  CHECK(asker.client->replication_id("").size() == 40);
  CHECK(asker.client->replication_id("") != before);
}

TEST_CASE("a server that evicts is warned of once; a stop ends what waits") {
  RedisServer server({"--maxmemory-policy", "allkeys-lru"});
  Asker asker(patient(server.endpoint()));
  CHECK(asker.text("PING") == "PONG");
  server.kill();
  server.start();
  CHECK(asker.text_at_last("PING") == "PONG");
  REQUIRE(asker.worker.warnings.size() == 1);
  CHECK(holds(asker.worker.warnings[0], "allkeys-lru"));
  Result<RedisReply> blocked;
  asker.worker.run([&]() -> Awaitable<void> {
    Gathering ended;
    start(asker.ask("BLPOP nothing 0"), [&](const std::exception_ptr&, Result<RedisReply> reply) {
      blocked = std::move(reply);
      boost::asio::post(asker.worker.io, [&] { ended.release(); });
    });
    asker.client->stop();
    co_await ended.wait();
  }());
  REQUIRE_FALSE(blocked);
  CHECK_FALSE(asker.now("PING"));
}
