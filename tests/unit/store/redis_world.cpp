#include "redis_world.hpp"

#include <hiredis/hiredis.h>
#include <sstream>

namespace tollgate::store_tests {
namespace {

using policies::RedisReply;

RedisReply reply_of(const redisReply& raw) {
  RedisReply reply;
  switch (raw.type) {
    case REDIS_REPLY_INTEGER:
      reply.kind = RedisReply::Kind::integer;
      reply.integer = raw.integer;
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = RedisReply::Kind::error;
      reply.text.assign(raw.str, raw.len);
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = RedisReply::Kind::array;
      for (std::size_t i = 0; i < raw.elements; ++i)
        reply.items.push_back(reply_of(*raw.element[i]));
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = RedisReply::Kind::text;
      reply.text.assign(raw.str, raw.len);
      break;
    default:
      break;
  }
  return reply;
}

}  // namespace

PlainPort::PlainPort(std::uint16_t port) : context_(redisConnect("127.0.0.1", port)) {
  REQUIRE(context_ != nullptr);
  REQUIRE(context_->err == 0);
}

PlainPort::~PlainPort() { redisFree(context_); }

Result<RedisReply> PlainPort::ask(std::span<const std::string_view> args) {
  Error error = make_error(ErrorKind::store_unavailable, "away");
  if (away) {
    error.retry = Retry::same_or_other;
    return std::unexpected(error);
  }
  ++calls;
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string_view arg : args) {
    words.push_back(arg.data());
    sizes.push_back(arg.size());
  }
  const std::unique_ptr<void, void (*)(void*)> raw(
      redisCommandArgv(context_, static_cast<int>(words.size()), words.data(), sizes.data()),
      freeReplyObject);
  REQUIRE(raw != nullptr);
  if (auto meanwhile = std::exchange(before_next, nullptr)) meanwhile();
  if (std::exchange(lose_next, false)) return std::unexpected(error);
  RedisReply reply = reply_of(*static_cast<const redisReply*>(raw.get()));
  if (reply.is_error() && !reply.is_error("NOSCRIPT")) MESSAGE(reply.text);
  return reply;
}

Awaitable<Result<RedisReply>> PlainPort::call(std::string_view,
                                              std::span<const std::string_view> args) {
  co_return ask(args);
}

RedisReply PlainPort::now(const std::string& words) {
  std::istringstream stream(words);
  std::vector<std::string> parts;
  for (std::string word; stream >> word;)
    parts.push_back(word);
  const std::vector<std::string_view> args(parts.begin(), parts.end());
  auto reply = ask(args);
  REQUIRE(reply);
  return *reply;
}

RedisWorld::RedisWorld(const net::test::RedisServer& server, policies::RedisTerms terms)
    : port(server.port()) {
  terms.own_clock = true;
  shared = std::make_unique<policies::RedisShared>(std::move(terms), clock);
  store = std::make_unique<policies::RedisStore>(*shared, &port);
}

}  // namespace tollgate::store_tests
