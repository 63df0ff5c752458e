// A call's every step fails once: whatever fails, each watch that admitted is settled exactly once,
// one outcome is recorded, every attempt has ended, nothing stays open, no byte follows an error.
#include <doctest/doctest.h>

#include "config/load.hpp"
#include "routing/prefill.hpp"
#include "tests/unit/app/kinds.hpp"
#include "tests/unit/app/scripted.hpp"

namespace tollgate::app::test {
namespace {

const std::string secret = "tg-k-0123456789012345678901";

/// `attempts`: as many as there are targets, unless more are wanted: then they are repeats.
std::string yaml(std::string_view kind, int targets, int attempts = 0) {
  std::string text = "version: 1\nproviders:\n  p: {kind: " + std::string(kind) +
                     ", api_key: sk-x, price: {input: 2, output: 8}}\nmodels:\n  m: {targets: [";
  for (int i = 0; i < targets; ++i)
    text += "{provider: p, model: u}, ";
  text += "], retry: {attempts: " + std::to_string(attempts > 0 ? attempts : targets) +
          "}}\ntenants:\n  t:\n    limits: {requests_per_minute: 10, concurrent: 1}\n"
          "    budgets: [{usd: 1, per: total}]\n    keys: [{id: k, sha256: \"" +
          config::sha256_hex(secret) + "\"}]\n";
  return text;
}

/// A model whose streams go on at a second target.
std::string continuing_yaml(std::string_view kind) {
  std::string text = yaml(kind, 1, 3);
  text.replace(text.find("], retry"), 1, "{provider: p, model: u2}], continue_streams: true");
  return text;
}

std::string ask(bool stream) {
  return std::string(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],)"
                     R"("stream":)") +
         (stream ? "true}" : "false}");
}

void check_books(const House& house, const ScriptedClient& client) {
  CHECK(house.settled == house.admitted);
  REQUIRE(house.recorder.outcomes.size() == 1);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(static_cast<int>(outcome.attempts.size()) == house.upstream.sent);
  for (const AttemptOutcome& attempt : outcome.attempts) {
    CHECK(attempt.status != CallStatus::unknown);
    CHECK(attempt.ended_at >= attempt.started_at);
  }
  CHECK(outcome.status != CallStatus::unknown);
  CHECK(house.upstream.open == 0);
  CHECK(client.replies <= 1);
  CHECK(house.shared.in_flight == 0);
  // Nothing stays held, and what the budget was charged is what the call's outcome says.
  CHECK(house.store.totals().reserved == 0);
  CHECK(house.store.totals().spent == outcome.charged);
  NanoUsd attempts = 0;
  for (const AttemptOutcome& attempt : outcome.attempts)
    attempts += attempt.charged;
  CHECK(attempts == outcome.charged);
  CHECK(house.metrics.streams_active == 0);
}

void check_reply(const House& house, const ScriptedClient& client) {
  const Outcome& outcome = house.recorder.outcomes.front();
  const std::size_t error = client.received.find(R"({"error")");
  if (outcome.status == CallStatus::client_abort) {
    CHECK(outcome.http_status == 499);
  } else if (outcome.status == CallStatus::ok) {
    CHECK(error == std::string::npos);
    CHECK(client.ended);
  } else {
    REQUIRE(error != std::string::npos);
    CHECK(client.received.find("data: ", error) == std::string::npos);
    CHECK(client.received.find("[DONE]") == std::string::npos);
    CHECK(client.ended);
  }
}

/// Runs `test` for every kind of provider, with its reply as a stream or as a whole.
template <class Test>
void for_each_kind(bool stream, const Test& test) {
  for (const KindReply& reply : kind_replies()) {
    CAPTURE(reply.kind);
    CAPTURE(stream);
    test(reply.kind, stream ? reply.stream : reply.whole);
  }
}

void fail_each_step(std::string_view kind, const std::vector<std::string>& reply, bool stream,
                    int targets, int attempts = 0) {
  const bool again = targets > 1 || attempts > 1;
  House good(yaml(kind, targets, attempts), reply, 0);
  const ScriptedClient seen = good.call(ask(stream), secret);
  check_books(good, seen);
  REQUIRE(good.recorder.outcomes.front().status == CallStatus::ok);
  REQUIRE(seen.received.find("lo") != std::string::npos);
  const int steps = good.steps.taken;
  REQUIRE(steps >= 8);
  for (int step = 1; step <= steps; ++step) {
    CAPTURE(step);
    House house(yaml(kind, targets, attempts), reply, step);
    const ScriptedClient client = house.call(ask(stream), secret);
    check_books(house, client);
    check_reply(house, client);
    // Fine only where another attempt answered, or the client had the last word already.
    const bool had_all = client.received.find("[DONE]") != std::string::npos;
    CHECK((house.recorder.outcomes.front().status != CallStatus::ok || again || had_all));
  }
}

/// A call whose step fails, and its retry: what was paid for is never paid for again.
void fail_and_retry(std::string_view kind, const std::vector<std::string>& reply, bool stream,
                    int step) {
  CAPTURE(step);
  House house(yaml(kind, 1), reply, step);
  const ScriptedClient first = house.call(ask(stream), secret, "key");
  house.steps.fail_at = 0;
  const int sent = house.upstream.sent;
  const ScriptedClient second = house.call(ask(stream), secret, "key");
  REQUIRE(house.recorder.outcomes.size() == 2);
  const Outcome& paid = house.recorder.outcomes.front();
  const Outcome& retry = house.recorder.outcomes.back();
  const bool again = house.upstream.sent > sent;
  CHECK(again == (paid.charged == 0));
  if (!again) {
    CHECK(retry.charged == 0);
    CHECK(second.head.find("x-tollgate-idempotent: replayed") != std::string::npos);
  }
  // Only a provider that died after it was paid leaves no whole reply.
  const bool provider_died = paid.status == CallStatus::error && paid.charged > 0;
  CHECK(second.ended);
  const char* const end = stream ? "[DONE]" : "Hello";
  CHECK((second.received.find(end) != std::string::npos) != provider_died);
  if (first.ended && !again) CHECK(second.received == first.received);
  CHECK(house.store.totals().reserved == 0);
  CHECK(house.store.totals().spent == paid.charged + retry.charged);
  CHECK(house.idempotency.stats().running == 0);
}

/// What the client read of the answer's text.
std::string text_of(std::string_view received) {
  constexpr std::string_view mark = R"("content":")";
  std::string text;
  for (std::size_t at = received.find(mark); at != std::string_view::npos;
       at = received.find(mark, at)) {
    at += mark.size();
    text += received.substr(at, received.find('"', at) - at);
  }
  return text;
}

const std::vector<std::string>& openai_stream() { return kind_replies().front().stream; }

}  // namespace

TEST_CASE("whatever step fails, a retry with the same key is charged once at most") {
  for (const bool stream : {false, true}) {
    for_each_kind(stream, [&](std::string_view kind, const std::vector<std::string>& reply) {
      House good(yaml(kind, 1), reply, 0);
      const ScriptedClient seen = good.call(ask(stream), secret, "key");
      REQUIRE(seen.ended);
      for (int step = 1; step <= good.steps.taken; ++step)
        fail_and_retry(kind, reply, stream, step);
    });
  }
}

TEST_CASE("every step of a whole reply fails once") {
  for_each_kind(false, [](auto kind, const auto& reply) { fail_each_step(kind, reply, false, 1); });
}
TEST_CASE("every step of a stream fails once") {
  for_each_kind(true, [](auto kind, const auto& reply) { fail_each_step(kind, reply, true, 1); });
}

TEST_CASE("with a second target every failure before the first content is invisible") {
  for (const bool stream : {false, true}) {
    for_each_kind(stream, [&](std::string_view kind, const std::vector<std::string>& reply) {
      fail_each_step(kind, reply, stream, 2);
      // Steps: body, two policies, send, head, then reads. The head fails: the second answers.
      House house(yaml(kind, 2), reply, 5);
      const ScriptedClient client = house.call(ask(stream), secret);
      CHECK(house.recorder.outcomes.front().status == CallStatus::ok);
      CHECK(house.upstream.sent == 2);
      CHECK(client.head.starts_with("200"));
      CHECK(client.head.find("x-tollgate-attempts: 2") != std::string::npos);
    });
  }
}

TEST_CASE("with one target it is asked again, after a backoff, and no failure is seen") {
  for (const bool stream : {false, true}) {
    for_each_kind(stream, [&](std::string_view kind, const std::vector<std::string>& reply) {
      fail_each_step(kind, reply, stream, 1, 3);
      for (const int step : {4, 5, 6, 7}) {  // send, head, the reads before the first content
        CAPTURE(step);
        House house(yaml(kind, 1, 3), reply, step);
        const ScriptedClient client = house.call(ask(stream), secret);
        check_books(house, client);
        CHECK(house.recorder.outcomes.front().status == CallStatus::ok);
        CHECK(house.upstream.sent == 2);
        REQUIRE(house.upstream.pauses.size() == 1);
        CHECK(house.upstream.pauses.front() <= std::chrono::milliseconds(250));
        CHECK(client.head.find("x-tollgate-attempts: 2") != std::string::npos);
      }
    });
  }
}

TEST_CASE("where streams go on at the next target no failure of a provider is seen at all") {
  for_each_kind(true, [](std::string_view kind, const std::vector<std::string>& reply) {
    House good(continuing_yaml(kind), reply, 0);
    const ScriptedClient seen = good.call(ask(true), secret);
    REQUIRE(text_of(seen.received) == "Hello");
    for (int step = 4; step <= good.steps.taken; ++step) {  // behind the body and the policies
      CAPTURE(step);
      House house(continuing_yaml(kind), reply, step);
      const ScriptedClient client = house.call(ask(true), secret);
      check_books(house, client);
      check_reply(house, client);
      const Outcome& outcome = house.recorder.outcomes.front();
      CHECK(outcome.status != CallStatus::error);
      // Who takes a prefill goes on behind it; this script says all of it again.
      const bool all = outcome.status == CallStatus::ok && !routing::takes_prefill(kind, "u2");
      if (all) CHECK(text_of(client.received) == "Hello");
      if (outcome.attempts.size() > 1) CHECK(outcome.attempts.front().status == CallStatus::error);
    }
  });
}

TEST_CASE("who hangs up during a backoff is not served any more") {
  House house(yaml("openai", 1, 3), openai_stream(), 5);
  house.upstream.on_pause = [](AbortSlot& slot) {
    slot.abort(make_error(ErrorKind::client_gone, "gone"));
  };
  const ScriptedClient client = house.call(ask(true), secret);
  check_books(house, client);
  const Outcome& outcome = house.recorder.outcomes.front();
  CHECK(outcome.status == CallStatus::client_abort);
  CHECK(outcome.http_status == 499);
  CHECK(house.upstream.sent == 1);
  CHECK(client.replies == 0);
}

TEST_CASE(
    "for a client that has left nothing new is begun, whatever its model does with hang-ups") {
  std::string text = yaml("openai", 1, 3);
  text.replace(text.find("], retry"), 1, "], on_disconnect: drain");
  House house(text, openai_stream(), 5);
  house.upstream.on_pause = [&](AbortSlot&) {
    house.run->leave(make_error(ErrorKind::client_gone, "gone"));
  };
  house.call(ask(true), secret);
  CHECK(house.upstream.sent == 1);
  CHECK(house.recorder.outcomes.front().status == CallStatus::client_abort);
}

TEST_CASE("a stream that dies after content is not restarted") {
  House house(yaml("openai", 2, 9), openai_stream(), 9);  // the read after "Hel" went out
  const ScriptedClient client = house.call(ask(true), secret);
  CHECK(house.upstream.sent == 1);
  CHECK(client.received.find("Hel") != std::string::npos);
  CHECK(client.received.find(R"(data: {"error")") != std::string::npos);
  CHECK(house.recorder.outcomes.front().http_status == 200);
  CHECK(house.recorder.outcomes.front().status == CallStatus::error);
}

TEST_CASE("a draining gateway and a full one refuse without reading the body") {
  House house(yaml("openai", 1), openai_stream(), 0);
  house.shared.draining = true;
  const ScriptedClient client = house.call(ask(true), secret);
  CHECK(client.head.starts_with("503"));
  CHECK(client.head.find("retry-after: 1") != std::string::npos);
  CHECK(house.recorder.outcomes.size() == 1);
  CHECK(house.admitted == 0);
}

}  // namespace tollgate::app::test
