// A stream that dies after its first content goes on at the next target: one text, one count of
// tokens, never past the client's limit, each continuation paid for like any attempt.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "gateway/wire/json_shape.hpp"
#include "tests/unit/app/scripted.hpp"

namespace tollgate::app::test {
namespace {

const std::string secret = "tg-k-0123456789012345678901";
using Script = ScriptedUpstream::Script;

/// Model `m` at the upstream models u1, u2, u3 of three providers.
std::string yaml(const std::string& more = "", const std::string& kind = "openai",
                 const std::string& usd = "9") {
  std::string text = "version: 1\nproviders:\n";
  for (const char* name : {"p1", "p2", "p3"}) {
    text += std::string("  ") + name + ": {kind: " + (name[1] == '1' ? "openai" : kind) +
            ", api_key: k, price: {input: 2, output: 8}}\n";
  }
  return text +
         "models:\n  m: {targets: [{provider: p1, model: u1}, {provider: p2, model: u2}, "
         "{provider: p3, model: u3}], retry: {attempts: 1}, continue_streams: true" +
         more + "}\ntenants:\n  t:\n    budgets: [{usd: " + usd +
         ", per: total}]\n    keys: [{id: k, sha256: \"" + config::sha256_hex(secret) + "\"}]\n";
}

std::string chunk(const std::string& delta, const std::string& finish = "null") {
  return R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"u","choices":[)"
         R"({"index":0,"delta":)" +
         delta + R"(,"finish_reason":)" + finish + "}]}\n\n";
}
std::string said(const std::string& text) { return chunk(R"({"content":")" + text + "\"}"); }

const std::string head = chunk(R"({"role":"assistant","content":""})");
const std::string stop = chunk("{}", "\"stop\"");
const std::string usage =
    R"(data: {"id":"c","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":3,)"
    R"("total_tokens":13}})"
    "\n\n";
const std::string done = "data: [DONE]\n\n";

Script dies(std::vector<std::string> pieces) {
  return {.status = 200, .pieces = std::move(pieces), .dies = true};
}

const Script first = dies({head, said("The quick"), said(" brown")});
const Script second{.status = 200,
                    .pieces = {head, said("quick bro"), said("wn fox"), stop, usage, done}};
const Script refused{.status = 400, .pieces = {R"({"error":{"message":"no such thing"}})"}};

std::string ask(const std::string& more = R"(,"max_tokens":100)") {
  return R"({"model":"m","stream":true,"messages":[{"role":"user","content":"x"}])" + more + "}";
}

/// The text of all chunks that the client got.
std::string text_of(const std::string& received) {
  std::string text;
  constexpr std::string_view mark = R"("delta":{)", content = R"("content":)";
  for (std::size_t at = received.find(mark); at != std::string::npos;
       at = received.find(mark, at + 1)) {
    const std::size_t end = received.find("\n\n", at);
    const std::size_t from = received.find(content, at);
    if (from >= end) continue;
    const std::size_t open = from + content.size();
    const std::size_t close = received.find('"', open + 1);
    text += wire::json_string(std::string_view(received).substr(open, close + 1 - open)).value();
  }
  return text;
}

void check_books(const House& house) {
  CHECK(house.settled == house.admitted);
  REQUIRE(house.recorder.outcomes.size() == 1);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(static_cast<int>(outcome.attempts.size()) == house.upstream.sent);
  CHECK(house.store.totals().reserved == 0);
  CHECK(house.store.totals().spent == outcome.charged);
  NanoUsd attempts = 0;
  for (const AttemptOutcome& attempt : outcome.attempts)
    attempts += attempt.charged;
  CHECK(attempts == outcome.charged);
  CHECK(house.upstream.open == 0);
  CHECK(house.metrics.streams_active == 0);
}

struct Scripted : House {
  explicit Scripted(const std::string& text, int fail_at = 0) : House(text, {}, fail_at) {
    upstream.scripts = {{"u1", first}, {"u2", second}, {"u3", second}};
  }
  const Outcome& outcome() { return recorder.outcomes.front(); }
};

}  // namespace

TEST_CASE("a dead stream goes on at the next target, without a word twice or lost") {
  Scripted house(yaml());
  const ScriptedClient client =
      house.call(ask(R"(,"max_tokens":100,"stream_options":{"include_usage":true})"), secret);
  check_books(house);
  CHECK(text_of(client.received) == "The quick brown fox");
  CHECK(client.received.ends_with(done));
  CHECK(client.received.find("error") == std::string::npos);
  CHECK(client.received.find(R"("x-tollgate":{"continued":1,"providers":["p2"]})") !=
        std::string::npos);
  const Outcome& outcome = house.outcome();
  CHECK(outcome.status == CallStatus::ok);
  CHECK(outcome.finish == "stop");
  REQUIRE(outcome.attempts.size() == 2);
  CHECK(outcome.attempts[0].status == CallStatus::error);
  CHECK(outcome.attempts[1].status == CallStatus::ok);
  // What the client has of the dead one counts: by its pieces and bytes, no figures having come.
  CHECK(outcome.usage.output == 3 + 4);
  CHECK_FALSE(outcome.usage_from_provider);
  CHECK(client.received.find(R"("completion_tokens":7)") != std::string::npos);
}

TEST_CASE("the next provider gets the text so far and what is left of the client's limit") {
  Scripted house(yaml());
  house.call(ask(), secret);
  REQUIRE(house.upstream.bodies.size() == 2);
  const std::string& body = house.upstream.bodies[1];
  CHECK(
      body.find(R"({"role":"assistant","content":"The quick brown"},{"role":"user","content":)") !=
      std::string::npos);
  CHECK(body.find(R"(its last words, \"The quick brown\")") != std::string::npos);
  CHECK(body.find(R"("max_tokens":95)") != std::string::npos);  // 15 bytes are 5 tokens at most
}

TEST_CASE("a limit that was reached when the provider died ends the reply") {
  Scripted house(yaml());
  const ScriptedClient client = house.call(ask(R"(,"max_tokens":2)"), secret);
  check_books(house);
  CHECK(house.upstream.sent == 1);
  CHECK(house.outcome().finish == "length");
  CHECK(house.outcome().usage.output == 4);
  CHECK(house.outcome().status == CallStatus::ok);
  CHECK(text_of(client.received) == "The quick brown");
  CHECK(client.received.ends_with(done));
}

TEST_CASE("a continuation that dies is gone on with in its turn") {
  for (const bool after_content : {false, true}) {
    CAPTURE(after_content);
    Scripted house(yaml());
    house.upstream.scripts["u2"] =
        after_content ? dies({head, said("quick brown fox")}) : dies({head});
    house.upstream.scripts["u3"] = {
        .status = 200,
        .pieces = {head, said(after_content ? "fox jumps" : "brown fox jumps"), stop, done}};
    const ScriptedClient client = house.call(ask(), secret);
    check_books(house);
    CHECK(house.upstream.sent == 3);
    CHECK(text_of(client.received) == "The quick brown fox jumps");
    CHECK(house.outcome().status == CallStatus::ok);
    const std::string providers =
        after_content ? R"(2,"providers":["p2","p3"])" : R"(1,"providers":["p3"])";
    CHECK(client.received.find(R"({"continued":)" + providers) != std::string::npos);
  }
}

TEST_CASE("when no target is left, or none may be asked, the client gets the error at last") {
  struct Case {
    std::string yaml;
    std::map<std::string, Script> scripts;
    int sent;
  };
  const Script again = dies({head, said("brown fox")});
  for (const Case& of : std::initializer_list<Case>{
           {yaml(), {{"u2", again}, {"u3", again}}, 3},
           {yaml(), {{"u2", refused}, {"u3", refused}}, 3},
           {yaml(", max_attempts: 1"), {}, 1},
           // The first attempt's bound is 2 a token of the prompt and 8 of the reply: no second.
           {yaml("", "openai", "0.0020"), {}, 1},
       }) {
    CAPTURE(of.yaml);
    Scripted house(of.yaml);
    for (const auto& [model, script] : of.scripts)
      house.upstream.scripts[model] = script;
    const ScriptedClient client = house.call(ask(), secret);
    check_books(house);
    CHECK(house.upstream.sent == of.sent);
    CHECK(house.outcome().status == CallStatus::error);
    CHECK(text_of(client.received).starts_with("The quick brown"));
    const std::size_t error = client.received.find(R"(data: {"error")");
    REQUIRE(error != std::string::npos);
    CHECK(client.received.find("upstream_error", error) != std::string::npos);
    CHECK(client.received.find("data: ", error + 1) == std::string::npos);
  }
}

TEST_CASE(
    "where nobody else may be asked a target goes on itself, once, as far as calls are retried") {
  const std::string others =
      ", {provider: p2, model: u2}, {provider: p3, model: u3}], retry: {attempts: 1}";
  for (const int attempts : {1, 2, 9}) {
    CAPTURE(attempts);
    std::string text = yaml();
    text.replace(text.find(others), others.size(),
                 "], retry: {attempts: " + std::to_string(attempts) + "}");
    Scripted house(text);
    house.upstream.on_send = [&] {
      if (house.upstream.sent == 2 && attempts == 2) house.upstream.scripts["u1"] = second;
    };
    const ScriptedClient client = house.call(ask(), secret);
    check_books(house);
    CHECK(house.upstream.sent == (attempts == 1 ? 1 : 2));
    CHECK((house.outcome().status == CallStatus::ok) == (attempts == 2));
    if (attempts == 2) CHECK(text_of(client.received) == "The quick brown fox");
  }
}

TEST_CASE("what is no plain text is not gone on with") {
  const std::string tool = chunk(R"({"tool_calls":[{"index":0,"id":"t","type":"function",)"
                                 R"("function":{"name":"f","arguments":""}}]})");
  for (const std::string& more :
       {std::string(R"(,"n":2)"), std::string(R"(,"logprobs":true)"),
        std::string(R"(,"response_format":{"type":"json_object"})"), std::string("tool")}) {
    CAPTURE(more);
    Scripted house(yaml());
    if (more == "tool") house.upstream.scripts["u1"] = dies({head, said("The"), tool});
    const ScriptedClient client =
        house.call(ask(R"(,"max_tokens":100)" + (more == "tool" ? "" : more)), secret);
    check_books(house);
    CHECK(house.upstream.sent == 1);
    CHECK(house.outcome().status == CallStatus::error);
    CHECK(client.received.find(R"(data: {"error")") != std::string::npos);
  }
}

TEST_CASE("a model that has said that this is all has, whatever becomes of its connection") {
  Scripted house(yaml());
  house.upstream.scripts["u1"] = dies({head, said("All"), stop});
  const ScriptedClient client = house.call(ask(), secret);
  check_books(house);
  CHECK(house.upstream.sent == 1);
  CHECK(house.outcome().status == CallStatus::ok);
  CHECK(client.received.ends_with(done));
}

TEST_CASE("of a stream with a continuation every step fails once") {
  Scripted good(yaml());
  good.call(ask(), secret);
  REQUIRE(good.outcome().status == CallStatus::ok);
  REQUIRE(good.steps.taken > 16);
  for (int step = 1; step <= good.steps.taken; ++step) {
    CAPTURE(step);
    Scripted house(yaml(), step);
    const ScriptedClient client = house.call(ask(), secret);
    check_books(house);
    const std::string text = text_of(client.received);
    CHECK(std::string("The quick brown fox").starts_with(text));
    if (house.outcome().status == CallStatus::ok) CHECK(text == "The quick brown fox");
    if (house.outcome().status == CallStatus::client_abort) {
      CHECK(client.received.find("error") == std::string::npos);
    }
  }
}

TEST_CASE("a repeated key is told what the first client was, continuation and all") {
  Scripted house(yaml());
  const ScriptedClient client = house.call(ask(), secret, "key");
  const ScriptedClient again = house.call(ask(), secret, "key");
  CHECK(house.upstream.sent == 2);
  CHECK(text_of(client.received) == "The quick brown fox");
  CHECK(again.received == client.received);
}

}  // namespace tollgate::app::test
