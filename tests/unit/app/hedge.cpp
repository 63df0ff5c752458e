// A slow first target is raced by a second one: the first token wins, the other request is ended at
// once, and both are paid for.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "tests/unit/app/scripted.hpp"

namespace tollgate::app::test {
namespace {

const std::string secret = "tg-k-0123456789012345678901";
using Script = ScriptedUpstream::Script;

std::string yaml(const std::string& usd = "9", const std::string& more = "") {
  std::string text = "version: 1\nproviders:\n";
  for (const char* name : {"p1", "p2", "p3"})
    text +=
        std::string("  ") + name + ": {kind: openai, api_key: k, price: {input: 2, output: 8}}\n";
  return text +
         "models:\n  m: {targets: [{provider: p1, model: u1}, {provider: p2, model: u2}, "
         "{provider: p3, model: u3}], hedge: {after: 1ms, max_share: 1}" +
         more + "}\ntenants:\n  t:\n    budgets: [{usd: " + usd +
         ", per: total}]\n    keys: [{id: k, sha256: \"" + config::sha256_hex(secret) + "\"}]\n";
}

std::string ask(bool stream) {
  return std::string(
             R"({"model":"m","max_tokens":100,"messages":[{"role":"user","content":"x"}],)") +
         R"("stream":)" + (stream ? "true}" : "false}");
}

Script answer(bool stream, const std::string& text) {
  const std::string head = R"({"id":"c","created":1,"model":"u","choices":[{"index":0,)";
  const std::string usage =
      R"("usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})";
  if (!stream) {
    return {.pieces = {head + R"("message":{"role":"assistant","content":")" + text +
                       R"("},"finish_reason":"stop"}],)" + usage}};
  }
  return {.pieces = {"data: " + head + R"("delta":{"content":")" + text + R"("}}]})" + "\n\n",
                     "data: " + head + R"("delta":{},"finish_reason":"stop"}],)" + usage + "\n\n",
                     "data: [DONE]\n\n"}};
}
Script make_silent() {
  Script script;
  script.silent = true;
  return script;
}
const Script silent = make_silent();
const Script broken{.status = 500, .pieces = {R"({"error":{"message":"m"}})"}};

void check_books(const House& house) {
  CHECK(house.settled == house.admitted);
  REQUIRE(house.recorder.outcomes.size() == 1);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(static_cast<int>(outcome.attempts.size()) == house.upstream.sent);
  CHECK(house.store.totals().reserved == 0);
  CHECK(house.store.totals().spent == outcome.charged);
  NanoUsd attempts = 0, cost = 0;
  for (const AttemptOutcome& attempt : outcome.attempts) {
    attempts += attempt.charged;
    cost += attempt.cost.value_or(-1);
    CHECK(attempt.status != CallStatus::unknown);
  }
  CHECK(attempts == outcome.charged);
  CHECK(outcome.cost == cost);
  CHECK(house.upstream.open == 0);
}

constexpr NanoUsd usual = 10 * 2000 + 5 * 8000;

}  // namespace

TEST_CASE("of a slow target and a quick one the quick one answers") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    House house(yaml(), {}, 0);
    house.upstream.scripts = {{"u1", silent}, {"u2", answer(stream, "two")}};
    std::string body = ask(stream);  // more than a model makes while this waits
    body.replace(body.find("100,"), 3, "100000");
    const ScriptedClient client = house.call(body, secret);
    check_books(house);
    const Outcome& outcome = house.recorder.outcomes.front();
    CHECK(client.received.find("two") != std::string::npos);
    CHECK(outcome.status == CallStatus::ok);
    CHECK(outcome.provider == "p2");
    REQUIRE(outcome.attempts.size() == 2);
    CHECK(outcome.attempts[0].status == CallStatus::cancelled);
    // Written, and ended by us: its prompt, and what it may have said in that time.
    CHECK(outcome.attempts[0].charged > 0);
    CHECK(outcome.attempts[0].charged < outcome.attempts[0].reserved);
    CHECK(outcome.attempts[1].status == CallStatus::ok);
    CHECK(outcome.attempts[1].charged == usual);
  }
}

TEST_CASE("who lost the race goes on with the winner's reply where that dies") {
  std::string text = yaml("9", ", continue_streams: true");
  text.erase(text.find(", {provider: p3"), std::string_view(", {provider: p3, model: u3}").size());
  House house(text, {}, 0);
  Script dies = answer(true, "Hel");
  dies.pieces.resize(1);
  dies.dies = true;
  house.upstream.scripts = {{"u1", silent}, {"u2", dies}};
  house.upstream.on_send = [&] {
    if (house.upstream.sent == 3) house.upstream.scripts["u1"] = answer(true, "Hello");
  };
  const ScriptedClient client = house.call(ask(true), secret);
  check_books(house);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(outcome.status == CallStatus::ok);
  CHECK(outcome.provider == "p1");
  CHECK(client.received.find(R"("content":"lo")") != std::string::npos);
}

TEST_CASE("the first target may still win, and a second one that fails changes nothing") {
  for (const bool fails : {false, true}) {
    CAPTURE(fails);
    House house(yaml(), {}, 0);
    Script late = answer(true, "one");
    late.late = true;
    house.upstream.scripts = {{"u1", late}, {"u2", fails ? broken : silent}};
    house.on_wait = [&] { house.upstream.wake(); };
    const ScriptedClient client = house.call(ask(true), secret);
    check_books(house);
    const Outcome& outcome = house.recorder.outcomes.front();
    CHECK(client.received.find("one") != std::string::npos);
    CHECK(outcome.provider == "p1");
    REQUIRE(outcome.attempts.size() == 2);
    CHECK(outcome.attempts[0].charged == usual);
    CHECK(outcome.attempts[1].status == (fails ? CallStatus::error : CallStatus::cancelled));
  }
}

TEST_CASE("when both have failed the third target is asked") {
  House house(yaml(), {}, 0);
  Script late = broken;
  late.late = true;
  house.upstream.scripts = {{"u1", late}, {"u2", broken}, {"u3", answer(true, "three")}};
  house.on_wait = [&] { house.upstream.wake(); };
  const ScriptedClient client = house.call(ask(true), secret);
  check_books(house);
  CHECK(house.upstream.sent == 3);
  CHECK(client.received.find("three") != std::string::npos);
}

TEST_CASE("a second request that the budget does not hold, or that is one too many, is not sent") {
  for (const std::string& text : {yaml("0.0015"), yaml("9", ", max_attempts: 1")}) {
    CAPTURE(text);
    House house(text, {}, 0);
    Script late = answer(true, "one");
    late.late = true;
    house.upstream.scripts = {{"u1", late}, {"u2", answer(true, "two")}};
    house.on_wait = [&] { house.upstream.wake(); };
    const ScriptedClient client = house.call(ask(true), secret);
    check_books(house);
    CHECK(house.upstream.sent == 1);
    CHECK(client.received.find("one") != std::string::npos);
  }
}

TEST_CASE("who hangs up during the race ends both requests") {
  House house(yaml(), {}, 0);
  house.upstream.scripts = {{"u1", silent}, {"u2", silent}};
  house.on_wait = [&] { house.run->leave(make_error(ErrorKind::client_gone, "gone")); };
  house.call(ask(true), secret);
  check_books(house);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(outcome.status == CallStatus::client_abort);
  REQUIRE(outcome.attempts.size() == 2);
  for (const AttemptOutcome& attempt : outcome.attempts)
    CHECK(attempt.status == CallStatus::client_abort);
}

}  // namespace tollgate::app::test
