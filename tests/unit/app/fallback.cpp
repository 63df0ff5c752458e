// Going on under another model: who pays, who may, and what the client is told when nobody can.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "tests/unit/app/scripted.hpp"

namespace tollgate::app::test {
namespace {

const std::string secret = "tg-k-0123456789012345678901";
const std::vector<std::string> good{
    R"({"id":"c","object":"chat.completion","created":1,"model":"u","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":)"
    R"({"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500}})"};
const ScriptedUpstream::Script broken{.status = 500, .pieces = {R"({"error":{"message":"m"}})"}};
const ScriptedUpstream::Script cut{
    .status = 200, .pieces = {std::string(good[0], 0, 40)}, .dies = true};
const ScriptedUpstream::Script too_long{
    .status = 400, .pieces = {R"({"error":{"message":"m","code":"context_length_exceeded"}})"}};

/// Models `a` and `b` at providers of their own, with these further members.
std::string yaml(const std::string& a, const std::string& b, const std::string& tenant = "",
                 const std::string& price_of_b = "{input: 2, output: 8}") {
  return "version: 1\nproviders:\n  p: {kind: openai, api_key: k, price: {input: 2, output: 8}}\n"
         "  q: {kind: openai, api_key: k, price: " +
         price_of_b +
         "}\nmodels:\n  a: {targets: [{provider: p, model: ua}], retry: {attempts: 1}" + a +
         "}\n  b: {targets: [{provider: q, model: ub}], retry: {attempts: 1}" + b +
         "}\ntenants:\n  t:\n    budgets: [{usd: 9, per: total}]\n" + tenant +
         "    keys: [{id: k, sha256: \"" + config::sha256_hex(secret) + "\"}]\n";
}

const std::string ask =
    R"({"model":"a","max_tokens":100,"messages":[{"role":"user","content":"x"}]})";

/// Nano-dollars that the model's own budget has spent.
std::uint64_t spent(House& house, const std::string& model) {
  const auto& chain = house.services.plan->scopes.of_model(model);
  std::uint64_t used = 0;
  start(house.store.read(chain.scopes, {}),
        [&](const std::exception_ptr&, Result<std::vector<Reading>> readings) {
          for (const Reading& reading : *readings) {
            if (reading.budget) used = reading.used;
            CHECK(reading.reserved == 0);
          }
        });
  return used;
}

void check_books(const House& house) {
  REQUIRE(house.recorder.outcomes.size() == 1);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(house.store.totals().reserved == 0);
  CHECK(house.store.totals().spent == outcome.charged);
  CHECK(static_cast<int>(outcome.attempts.size()) == house.upstream.sent);
}

const std::string budget = ", budgets: [{usd: 1, per: total}]";

}  // namespace

TEST_CASE("each model's budget bears what ran under it, the tenant's all of it") {
  House house(yaml(", fallback: [b]" + budget, budget), good, 0);
  house.upstream.scripts["ua"] = cut;
  const ScriptedClient client = house.call(ask, secret);
  check_books(house);
  const Outcome& outcome = house.recorder.outcomes.front();
  REQUIRE(outcome.attempts.size() == 2);
  CHECK(outcome.status == CallStatus::ok);
  CHECK(outcome.model_asked == "a");
  CHECK(outcome.model == "b");
  CHECK(client.head.find("x-tollgate-model: b") != std::string::npos);
  CHECK(outcome.attempts[0].charged > 0);
  CHECK(outcome.attempts[1].charged == 1000 * 2000 + 500 * 8000);
  CHECK(spent(house, "a") == static_cast<std::uint64_t>(outcome.attempts[0].charged));
  CHECK(spent(house, "b") == static_cast<std::uint64_t>(outcome.attempts[1].charged));
}

TEST_CASE("a model whose budget or limits are used up does not stand by") {
  for (const char* rule :
       {", budgets: [{usd: 0.000001, per: total}]",
        ", limits: {tokens_per_minute: 1}, budgets: [{usd: 0.000001, per: day}]"}) {
    CAPTURE(rule);
    House house(yaml(", fallback: [b]", rule), good, 0);
    house.upstream.scripts["ua"] = broken;
    const ScriptedClient client = house.call(ask, secret);
    check_books(house);
    CHECK(house.upstream.sent == 1);
    CHECK(client.head.starts_with("500"));
    CHECK(house.recorder.outcomes.front().model == "a");
    CHECK(spent(house, "b") == 0);
  }
}

TEST_CASE("a fallback that the key may not use is skipped") {
  House house(yaml(", fallback: [b]", "", "    models: [a]\n"), good, 0);
  house.upstream.scripts["ua"] = broken;
  CHECK(house.call(ask, secret).head.starts_with("500"));
  check_books(house);
  CHECK(house.upstream.sent == 1);
}

TEST_CASE("a prompt that is too long goes only to a window that is larger") {
  // The windows stand in the price book.
  for (const char* other : {"gpt-4.1", "gpt-4o", "chatgpt-4o-latest", "davinci-002"}) {
    CAPTURE(other);
    const bool larger = std::string(other) == "gpt-4.1";
    std::string text = yaml(", context_window_fallback: [b]", "");
    text.replace(text.find("model: ua"), 9, "model: gpt-4o-mini");
    text.replace(text.find("model: ub"), 9, std::string("model: ") + other);
    House house(text, good, 0);
    house.upstream.scripts["gpt-4o-mini"] = too_long;
    const ScriptedClient client = house.call(ask, secret);
    check_books(house);
    CHECK(client.head.starts_with(larger ? "200" : "400"));
    CHECK(house.upstream.sent == (larger ? 2 : 1));
  }
}

TEST_CASE("every target of another model is held to what its first one was") {
  std::string text = yaml(", context_window_fallback: [b]", "");
  text.replace(text.find("model: ua"), 9, "model: gpt-4o-mini");
  text.replace(text.find("model: ub}], retry: {attempts: 1}"), 33,
               "model: gpt-4.1}, {provider: q, model: davinci-002}]");
  House house(text, good, 0);
  house.upstream.scripts["gpt-4o-mini"] = too_long;
  house.upstream.scripts["gpt-4.1"] = {.status = 404, .pieces = {R"({"error":{"message":"m"}})"}};
  const ScriptedClient client = house.call(ask, secret);
  check_books(house);
  CHECK(house.upstream.sent == 2);
  CHECK(client.head.starts_with("404"));
}

TEST_CASE("after a downgrade nothing dearer is fallen back to") {
  for (const bool dear : {false, true}) {
    CAPTURE(dear);
    const std::string price = dear ? "{input: 3, output: 9}" : "{input: 2, output: 8}";
    std::string text =
        yaml(", fallback: [b]", "", "    on_budget_exceeded: {downgrade: a}\n", price);
    // `dear` is what was asked for; its own budget is gone, so the tenant's setting sends it to a.
    text.replace(
        text.find("models:\n"), 8,
        "models:\n  first: {targets: [{provider: p, model: uf}], budgets: [{usd: 0.000001, "
        "per: total}]}\n");
    House house(text, good, 0);
    house.upstream.scripts["ua"] = broken;
    const ScriptedClient client = house.call(
        R"({"model":"first","max_tokens":100,"messages":[{"role":"user","content":"x"}]})", secret);
    check_books(house);
    CHECK(house.recorder.outcomes.front().model == (dear ? "a" : "b"));
    CHECK(client.head.starts_with(dear ? "500" : "200"));
  }
}

TEST_CASE("a stream that has shown content stays with its model") {
  const std::string chunk =
      R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"u","choices":[)"
      R"({"index":0,"delta":{"content":"Hel"},"finish_reason":null}]})"
      "\n\n";
  House house(yaml(", fallback: [b]", ""), good, 0);
  house.upstream.scripts["ua"] = {.status = 200, .pieces = {chunk}, .dies = true};
  const ScriptedClient client =
      house.call(ask.substr(0, ask.size() - 1) + R"(,"stream":true})", secret);
  check_books(house);
  CHECK(house.upstream.sent == 1);
  CHECK(client.received.find(R"(data: {"error")") != std::string::npos);
}

}  // namespace tollgate::app::test
