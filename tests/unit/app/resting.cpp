// Targets that fall ill between the choice of a call's targets and their turn.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "routing/health.hpp"
#include "tests/unit/app/scripted.hpp"

namespace tollgate::app::test {
namespace {

using namespace std::chrono_literals;

const std::string secret = "tg-k-0123456789012345678901";
const std::string ask = R"({"model":"m","messages":[{"role":"user","content":"x"}]})";
const std::vector<std::string> good{
    R"({"id":"c","object":"chat.completion","created":1,"model":"u","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]})"};
const ScriptedUpstream::Script broken{.status = 500, .pieces = {R"({"error":{"message":"m"}})"}};

std::string yaml() {
  return "version: 1\nproviders:\n  p: {kind: openai, api_key: k, price: {input: 2, output: 8}}\n"
         "models:\n  m:\n    strategy: ordered\n    retry: {attempts: 3}\n    targets: [{provider: "
         "p, "
         "model: u0}, {provider: p, model: u1}, {provider: p, model: u2}]\n"
         "tenants:\n  t:\n    keys: [{id: k, sha256: \"" +
         config::sha256_hex(secret) + "\"}]\n";
}

/// Somebody keeps an eye on each target.
void watch(House& house) {
  for (routing::Target& target : house.services.plan->routes.routes().front()->targets)
    target.health = std::make_shared<routing::TargetHealth>("p", target.model, 1);
}

/// So many failures that no call may go there any more.
void spoil(House& house, std::size_t target, routing::Verdict verdict) {
  routing::TargetHealth& health =
      *house.services.plan->routes.routes().front()->targets[target].health;
  const SteadyTime now = std::chrono::steady_clock::now();
  while (health.look(now).usable()) {
    routing::Availability refused;
    const auto pass = health.enter(0, now, refused);
    REQUIRE(pass);
    health.leave(*pass, {.verdict = verdict, .retry_after = 60s}, now);
  }
}

}  // namespace

TEST_CASE("a target that falls ill before its turn is left out, and the next one is asked") {
  for (const auto verdict : {routing::Verdict::failed, routing::Verdict::rate_limited}) {
    House house(yaml(), good, 0);
    watch(house);
    house.upstream.scripts["u0"] = broken;
    house.upstream.on_send = [&] { spoil(house, 1, verdict); };
    const ScriptedClient client = house.call(ask, secret);
    CHECK(client.head.starts_with("200"));
    REQUIRE(house.recorder.outcomes.size() == 1);
    const Outcome& outcome = house.recorder.outcomes.front();
    REQUIRE(outcome.attempts.size() == 2);
    CHECK(outcome.attempts.back().upstream_model == "u2");
    CHECK(house.upstream.sent == 2);
  }
}

TEST_CASE("when the others fall ill meanwhile, the client is told what the first one said") {
  House house(yaml(), good, 0);
  watch(house);
  house.upstream.scripts["u0"] = {.status = 501, .pieces = broken.pieces};
  house.upstream.on_send = [&] {
    for (const std::size_t target : {1U, 2U})
      spoil(house, target, routing::Verdict::failed);
  };
  const ScriptedClient client = house.call(ask, secret);
  CHECK(house.upstream.sent == 1);
  CHECK(client.head.starts_with("501"));
  CHECK(house.recorder.outcomes.front().error_origin == Origin::upstream);
}

}  // namespace tollgate::app::test
