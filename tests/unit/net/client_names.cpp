// Names: one question for many, kept answers, failures, several addresses; and c-ares itself on
// what needs no network.
#include "client_support.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

Awaitable<void> answer_all(Talk& talk) {
  while (!(co_await talk.request()).empty())
    co_await talk.say(sized("ok", "connection: close\r\n"));
}

const auto loopback = asio::ip::address(asio::ip::address_v4::loopback());

}  // namespace

TEST_CASE("one question serves many waiters and is kept") {
  Client client;
  Server server(client.io, answer_all);
  const auto provider = provider_at(server.port(), false, "provider.test");
  client.run([&]() -> Awaitable<void> {
    int done = 0;
    for (int i = 0; i < 5; ++i) {
      spawn(client.io, exchange(client, provider), [&](std::exception_ptr, const Seen& seen) {
        CHECK(seen.body == "ok");
        ++done;
      });
    }
    CHECK(co_await until([&] { return client.names->pending.size() == 1; }));
    client.names->pending[0]({{loopback}, 60s, {}});
    CHECK(co_await until([&] { return done == 5; }));
    CHECK((co_await exchange(client, provider)).body == "ok");
  }());
  CHECK(client.names->asked["provider.test"] == 1);
}

TEST_CASE("one waiter gives up, the other gets its answer") {
  Client client;
  Server server(client.io, answer_all);
  const auto provider = provider_at(server.port(), false, "provider.test");
  client.run([&]() -> Awaitable<void> {
    AbortSlot slot;
    std::optional<Seen> first;
    std::optional<Seen> second;
    spawn(client.io, exchange(client, provider, {}, slot),
          [&](std::exception_ptr, Seen seen) { first = std::move(seen); });
    spawn(client.io, exchange(client, provider),
          [&](std::exception_ptr, Seen seen) { second = std::move(seen); });
    CHECK(co_await until([&] { return client.names->pending.size() == 1; }));
    slot.abort(make_error(ErrorKind::client_gone, "gone"));
    CHECK(co_await until([&] { return first.has_value(); }));
    CHECK(first->error->kind == ErrorKind::client_gone);
    CHECK_FALSE(second);
    client.names->pending[0]({{loopback}, 60s, {}});
    CHECK(co_await until([&] { return second.has_value(); }));
    CHECK(second->body == "ok");
  }());
}

TEST_CASE("a name that does not exist is an error and is not asked for again at once") {
  Client client;
  client.names->answers["nowhere.test"] = {{}, 0s, "Domain name not found"};
  const auto provider = provider_at(80, false, "nowhere.test");
  for (int i = 0; i < 2; ++i) {
    const Seen seen = ask(client, provider);
    REQUIRE(seen.error);
    CHECK(seen.error->kind == ErrorKind::upstream_error);
    CHECK(seen.error->detail == "nowhere.test: Domain name not found");
  }
  CHECK(client.names->asked["nowhere.test"] == 1);
  CHECK(client.stats().dns_failures == 2);
}

TEST_CASE("the next address is tried when one refuses") {
  Client client;
  Server server(client.io, answer_all);
  // Nobody listens there: the server is bound to 127.0.0.1 alone.
  const auto dead = asio::ip::make_address("127.0.0.2");
  client.names->answers["provider.test"] = {{dead, dead, loopback}, 60s, {}};
  CHECK(ask(client, provider_at(server.port(), false, "provider.test")).body == "ok");
  client.names->answers["dead.test"] = {{dead, dead}, 60s, {}};
  const Seen seen = ask(client, provider_at(server.port(), false, "dead.test"));
  REQUIRE(seen.error);
  CHECK(seen.error->detail.find("refused") != std::string::npos);
}

TEST_CASE("c-ares: /etc/hosts, numbers, and an end with questions open") {
  asio::io_context io{1};
  Deadlines deadlines(io);
  Addresses found;
  {
    Resolver resolver(io, ares_source(io));
    AbortSlot slot;
    Patience patience(deadlines, slot, never);
    for (const char* host : {"localhost", "::1", "192.0.2.1"}) {
      CAPTURE(host);
      found.clear();
      auto resolve = [&]() -> Awaitable<void> {
        auto addresses = co_await resolver.resolve(host, patience);
        REQUIRE(addresses);
        found = *addresses;
      };
      spawn(io, resolve(), ignore);
      io.restart();
      while (found.empty() && io.run_one_for(5s) > 0) {
      }
      CHECK_FALSE(found.empty());
      if (host == std::string("localhost")) CHECK(found.front().is_loopback());
    }
    // A question that nobody will wait for; the resolver goes before its answer.
    auto source = ares_source(io);
    source->ask("does-not-matter.invalid", [](const DnsAnswer&) {});
    source.reset();
  }
  io.restart();
  io.run_for(50ms);
}
