// A world of the laws over a real redis-server, and the synchronous port that leads there. One
// thread; each world has keys of its own.
#pragma once
#include <functional>

#include "policies/store/redis.hpp"
#include "tests/unit/redis/server.hpp"
#include "world.hpp"

struct redisContext;

namespace tollgate::store_tests {

/// Waits for each answer: nothing is ever suspended.
class PlainPort final : public policies::RedisPort {
 public:
  explicit PlainPort(std::uint16_t port);
  ~PlainPort() override;
  Awaitable<Result<policies::RedisReply>> call(std::string_view slot_key,
                                               std::span<const std::string_view> args) override;
  [[nodiscard]] std::string replication_id(std::string_view) const override { return data; }
  /// Words by blanks.
  policies::RedisReply now(const std::string& words);

  std::string data;        ///< whose they are
  bool away = false;       ///< calls end without having been sent
  bool lose_next = false;  ///< the next answer is lost
  std::uint64_t calls = 0;
  std::function<void()> before_next;  ///< done once, between the next answer and who awaits it

 private:
  Result<policies::RedisReply> ask(std::span<const std::string_view> args);
  redisContext* context_;
};

struct RedisWorld final : World {
  explicit RedisWorld(const net::test::RedisServer& server, policies::RedisTerms terms = {});
  ~RedisWorld() override { store.reset(); }
  [[nodiscard]] policies::RedisStore& redis() { return static_cast<policies::RedisStore&>(*store); }

  PlainPort port;
  std::unique_ptr<policies::RedisShared> shared;
};

}  // namespace tollgate::store_tests
