// The demo upstream under the port's rules: what a script says comes in its time, and every wait
// can be ended.
#include "client_support.hpp"
#include "routing/providers/demo_script.hpp"

using namespace tollgate;
using namespace tollgate::net;
using namespace tollgate::net::test;

namespace {

routing::ProviderEntry demo_provider() {
  auto provider = provider_at(0, false, "demo");
  provider.address.in_process = true;
  return provider;
}

Ask chat(std::string model, bool stream) {
  Ask ask;
  ask.path = "/v1/chat/completions";
  ask.stream = stream;
  ask.body = R"({"model":")" + model + R"(","stream":)" + (stream ? "true" : "false") +
             R"(,"messages":[{"role":"user","content":"hello there"}]})";
  return ask;
}

std::string whole_script(const Ask& ask) {
  std::string all;
  for (const auto& step : routing::make_demo_script(ask.path, ask.body, 1'700'000'000).steps)
    all += step.bytes;
  return all;
}

}  // namespace

TEST_CASE("demo: the script's bytes arrive, whole and streamed") {
  for (const bool stream : {false, true}) {
    Client client;
    const Ask how = chat("demo,rate=5000,words=20", stream);
    const Seen seen = ask(client, demo_provider(), how);
    CHECK_FALSE(seen.error);
    CHECK(seen.status == 200);
    CHECK(seen.body.size() == whole_script(how).size());
  }
}

TEST_CASE("demo: waits end early and nothing is lost") {
  Client client;
  Ask how = chat("demo,rate=100,words=5,delay=20ms", true);
  how.patience = 2ms;
  const Seen seen = ask(client, demo_provider(), how);
  CHECK_FALSE(seen.error);
  CHECK(seen.timeouts > 0);
  CHECK(seen.body.size() == whole_script(how).size());
}

TEST_CASE("demo: status, death, limits and abort") {
  Client client;
  CHECK(ask(client, demo_provider(), chat("demo,status=503", true)).status == 503);

  const Seen dead = ask(client, demo_provider(), chat("demo,rate=5000,die_after=3", true));
  REQUIRE(dead.error);
  CHECK(dead.error->kind == ErrorKind::stream_cut);
  CHECK_FALSE(dead.body.empty());

  auto provider = demo_provider();
  provider.timeouts.first_byte = 10ms;
  const Seen late = ask(client, provider, chat("demo,delay=1h", true));
  REQUIRE(late.error);
  CHECK(late.error->kind == ErrorKind::upstream_timeout);

  Ask bounded = chat("demo,delay=1h", false);
  bounded.deadline = std::chrono::steady_clock::now() + 10ms;
  const Seen passed = ask(client, demo_provider(), bounded);
  REQUIRE(passed.error);
  CHECK(passed.error->kind == ErrorKind::deadline_exceeded);

  client.run([&]() -> Awaitable<void> {
    AbortSlot slot;
    asio::steady_timer soon(client.io, 10ms);
    soon.async_wait(
        [&](boost::system::error_code) { slot.abort(make_error(ErrorKind::client_gone, "gone")); });
    const Seen gone = co_await exchange(client, demo_provider(), chat("demo,delay=1h", true), slot);
    REQUIRE(gone.error);
    CHECK(gone.error->kind == ErrorKind::client_gone);
  }());
}
