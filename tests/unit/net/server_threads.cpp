// Several workers on one port, each with its thread: the counters that they share.
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>
#include <thread>

#include "server_fixture.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

struct Worker {
  Worker(ServerShared& shared, const std::shared_ptr<const ServerSettings>& settings)
      : listener(io, deadlines, front, shared, settings) {}
  void stop() {
    boost::asio::post(io, [this] {
      listener.drain([this] { deadlines.stop(); });
      listener.end(make_error(ErrorKind::draining, "The test is over."));
    });
  }
  boost::asio::io_context io{1};
  Deadlines deadlines{io};
  ScriptedFront front;
  Listener listener;
};

}  // namespace

TEST_CASE("workers: one port, one connection limit, one budget, clean end") {
  auto settings = std::make_shared<ServerSettings>();
  settings->limits.connections = 8;
  ServerShared shared(64U << 20U);
  const auto where = probe({"127.0.0.1", 0});
  REQUIRE(where.has_value());
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < 3; ++i) {
    workers.push_back(std::make_unique<Worker>(shared, settings));
    REQUIRE(workers.back()->listener.open(*where).has_value());
  }
  std::vector<std::thread> threads;
  for (auto& worker : workers)
    threads.emplace_back([&worker] { worker->io.run(); });

  boost::asio::io_context io(1);
  int served = 0;
  int refused = 0;
  const std::string body(20'000, 'b');
  std::vector<std::unique_ptr<Client>> clients;
  auto run = [&](Client& client) -> Awaitable<void> {
    co_await client.connect(*where);
    for (int i = 0; i < 20; ++i) {
      co_await client.send(post("/x", body));
      const Reply reply = co_await client.reply();
      served += reply.status == 200 && reply.body == "POST /x " + body;
      refused += reply.status == 503;
      if (reply.status != 200) co_return;
    }
  };
  std::exception_ptr failed;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<Client>(io));
    spawn(io, run(*clients.back()), [&](std::exception_ptr error) {
      if (error) failed = std::move(error);
    });
  }
  io.run_for(std::chrono::seconds(60));
  for (auto& worker : workers)
    worker->stop();
  for (auto& thread : threads)
    thread.join();
  if (failed) std::rethrow_exception(failed);
  CHECK(served == 8 * 20);
  CHECK(refused == 8);
  CHECK(shared.connections == 0);
  CHECK(shared.budget.used() == 0);
}
