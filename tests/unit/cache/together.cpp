#include "policies/cache/together.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <vector>

#include "gateway/core/signal.hpp"

using namespace tollgate;
using namespace tollgate::cache;
using policies::RedisReply;

namespace {

/// Answers when it is told to; counts what waits.
struct Port final : policies::RedisPort {
  Awaitable<Result<RedisReply>> call(std::string_view,
                                     std::span<const std::string_view> args) override {
    asked.emplace_back(args[1]);
    auto signal = std::make_shared<Signal>();
    waiting.push_back(signal);
    co_await signal->wait();
    if (fails) co_return fail(ErrorKind::store_unavailable, "no answer in time");
    RedisReply reply;
    reply.text = asked[answered++];
    co_return reply;
  }
  [[nodiscard]] std::string replication_id(std::string_view) const override { return {}; }

  void answer_all() {
    for (const auto& each : std::exchange(waiting, {}))
      each->notify();
  }

  std::vector<std::string> asked;
  std::vector<std::shared_ptr<Signal>> waiting;
  std::size_t answered = 0;
  bool fails = false;
};

std::vector<RedisCommand> commands(std::size_t count) {
  std::vector<RedisCommand> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back({.args = {"GET", "k" + std::to_string(i)}});
  return all;
}

struct Asked {
  std::vector<Result<RedisReply>> replies;
  bool done = false;
};

Awaitable<void> ask(Port& port, std::size_t count, Asked& out) {
  out.replies = co_await ask_together(port, commands(count));
  out.done = true;
}

}  // namespace

TEST_CASE("many commands go in groups, each once the one before is answered") {
  Port port;
  Asked asked;
  start(ask(port, 250, asked));
  for (const std::size_t so_far : {100U, 200U, 250U}) {
    CHECK(port.asked.size() == so_far);
    CHECK_FALSE(asked.done);
    port.answer_all();
  }
  REQUIRE(asked.done);
  REQUIRE(asked.replies.size() == 250);
  for (std::size_t i = 0; i < 250; ++i)
    CHECK(asked.replies[i]->text == "k" + std::to_string(i));
}

TEST_CASE("once there is no answer no more are asked") {
  Port port;
  Asked asked;
  start(ask(port, 250, asked));
  port.answer_all();
  port.fails = true;
  port.answer_all();
  REQUIRE(asked.done);
  CHECK(port.asked.size() == 200);
  REQUIRE(asked.replies.size() == 250);
  CHECK(asked.replies[99].has_value());
  CHECK_FALSE(asked.replies[100].has_value());
  CHECK_FALSE(asked.replies[249].has_value());
}

TEST_CASE("nothing to ask is answered at once") {
  Port port;
  Asked asked;
  start(ask(port, 0, asked));
  CHECK(asked.done);
}
