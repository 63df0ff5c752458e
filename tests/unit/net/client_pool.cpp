// The pool's own rules, over socket pairs: order, bounds, age, and peers that have gone.
#include <sys/socket.h>

#include "client_support.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

struct Rig {
  explicit Rig(PoolLimits limits) : pool(deadlines, limits, stats) {}

  std::unique_ptr<UpstreamConnection> connection(const std::string& key) {
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    tcp::socket near(io);
    near.connect(acceptor.local_endpoint());
    peers.push_back(acceptor.accept());
    auto made = std::make_unique<UpstreamConnection>(key, stats);
    made->stream = plain_stream(std::move(near));
    return made;
  }

  asio::io_context io{1};
  Deadlines deadlines{io};
  UpstreamStats stats;
  std::vector<tcp::socket> peers;
  Pool pool;
};

}  // namespace

TEST_CASE("pool: the latest first, by key") {
  Rig rig({});
  auto a = rig.connection("a");
  auto b = rig.connection("a");
  auto c = rig.connection("c");
  const UpstreamConnection* const first = a.get();
  const UpstreamConnection* const second = b.get();
  rig.pool.put(std::move(a), 1h);
  rig.pool.put(std::move(b), 1h);
  rig.pool.put(std::move(c), 1h);
  const auto taken = rig.pool.take("a");
  CHECK(taken.get() == second);
  CHECK(taken->reused);
  CHECK(rig.pool.take("a").get() == first);
  CHECK(rig.pool.take("a") == nullptr);
  CHECK(rig.pool.take("b") == nullptr);
  CHECK(rig.pool.size() == 1);
  CHECK(rig.stats.open == 2);
}

TEST_CASE("pool: bounds per key and in all drop the oldest") {
  Rig rig({.per_key = 2, .total = 3});
  std::vector<const UpstreamConnection*> made;
  for (const char* key : {"a", "a", "a", "b", "b"}) {
    auto connection = rig.connection(key);
    made.push_back(connection.get());
    rig.pool.put(std::move(connection), 1h);
  }
  CHECK(rig.pool.size() == 3);
  CHECK(rig.stats.open == 3);
  CHECK(rig.stats.idle == 3);
  CHECK(rig.pool.take("a").get() == made[2]);
  CHECK(rig.pool.take("a") == nullptr);
}

TEST_CASE("pool: peers that closed or spoke are neither given out nor kept") {
  Rig rig({.sweep = 1ms});
  rig.pool.put(rig.connection("a"), 1h);
  rig.peers.back().close();
  rig.pool.put(rig.connection("a"), 1h);
  rig.peers.back().send(asio::buffer("?", 1));
  CHECK(rig.pool.take("a") == nullptr);
  CHECK(rig.stats.open == 0);

  rig.pool.put(rig.connection("b"), 1h);
  rig.pool.put(rig.connection("b"), 1h);
  rig.peers.back().close();
  rig.io.run_for(20ms);
  CHECK(rig.pool.size() == 1);
}

TEST_CASE("pool: idle ones expire") {
  Rig rig({.idle = 1h, .sweep = 1ms});
  rig.pool.put(rig.connection("a"), 0ms);
  CHECK(rig.pool.size() == 0);
  rig.pool.put(rig.connection("a"), 1ms);
  rig.pool.put(rig.connection("a"), 1h);
  rig.io.run_for(20ms);
  CHECK(rig.pool.size() == 1);
  rig.pool.clear();
  CHECK(rig.stats.open == 0);
  CHECK(rig.stats.idle == 0);
}
