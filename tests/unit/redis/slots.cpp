// Slots and redirections, against values that redis-server itself gives (CLUSTER KEYSLOT).
#include "gateway/net/redis/slots.hpp"

#include <doctest/doctest.h>

using namespace tollgate::net;
using Kind = RedisReply::Kind;

namespace {

RedisReply number(std::int64_t value) { return {Kind::integer, value, {}, {}}; }
RedisReply node(std::string host, int port) {
  return {Kind::array, 0, {}, {{Kind::text, 0, std::move(host), {}}, number(port)}};
}
RedisReply range(int first, int last, RedisReply master) {
  return {Kind::array, 0, {}, {number(first), number(last), std::move(master), node("r", 9)}};
}
RedisReply error(std::string text) { return {Kind::error, 0, std::move(text), {}}; }

}  // namespace

TEST_CASE("slots: whole keys, hash tags, and braces that are none") {
  CHECK(slot_of("123456789") == 0x31c3);
  CHECK(slot_of("foo") == 12182);
  CHECK(slot_of("") == 0);
  CHECK(slot_of("{foo}.bar") == slot_of("foo"));
  CHECK(slot_of("x{foo}{bar}") == slot_of("foo"));
  CHECK(slot_of("{}foo") != slot_of("foo"));
  CHECK(slot_of("foo{") != slot_of("foo"));
  CHECK(slot_of("foo{{bar}}zap") == slot_of("{bar"));
}

TEST_CASE("map: ranges, holes, a host left out, one slot that moved") {
  SlotMap map;
  CHECK(map.master_of(5) == nullptr);
  const RedisReply slots{
      Kind::array, 0, {}, {range(0, 99, node("a", 1)), range(200, 16383, node("", 2))}};
  REQUIRE(map.take(slots, {"asked", 7}));
  REQUIRE(map.master_of(99) != nullptr);
  CHECK(*map.master_of(99) == RedisEndpoint{"a", 1});
  CHECK(map.master_of(100) == nullptr);
  CHECK(*map.master_of(16383) == RedisEndpoint{"asked", 2});
  map.move(99, {"c", 3});
  CHECK(*map.master_of(99) == RedisEndpoint{"c", 3});
  CHECK(*map.master_of(98) == RedisEndpoint{"a", 1});
}

TEST_CASE("map: a reply that is none changes nothing") {
  SlotMap map;
  REQUIRE(map.take({Kind::array, 0, {}, {range(0, 16383, node("a", 1))}}, {"x", 1}));
  CHECK_FALSE(map.take(error("ERR no cluster"), {"x", 1}));
  CHECK_FALSE(map.take({Kind::array, 0, {}, {}}, {"x", 1}));
  CHECK_FALSE(map.take({Kind::array, 0, {}, {range(0, 16384, node("b", 1))}}, {"x", 1}));
  CHECK_FALSE(map.take({Kind::array, 0, {}, {range(0, 9, node("b", 0))}}, {"x", 1}));
  CHECK_FALSE(map.take({Kind::array, 0, {}, {range(9, 3, node("b", 1))}}, {"x", 1}));
  CHECK(*map.master_of(0) == RedisEndpoint{"a", 1});
}

TEST_CASE("redirections: MOVED and ASK with names, IPv6, no host; nonsense is none") {
  const RedisEndpoint asked{"asked", 1};
  const auto moved = redirection(error("MOVED 3999 127.0.0.1:6381"), asked);
  REQUIRE(moved);
  CHECK(moved->slot == 3999);
  CHECK(moved->to == RedisEndpoint{"127.0.0.1", 6381});
  CHECK(redirection(error("ASK 1 ::1:6381"), asked)->to == RedisEndpoint{"::1", 6381});
  CHECK(redirection(error("ASK 1 :6381"), asked)->to == RedisEndpoint{"asked", 6381});
  for (const char* text : {"ERR MOVED 1 a:1", "MOVED", "MOVED 1", "MOVED x a:1", "MOVED 16384 a:1",
                           "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 a:99999"})
    CHECK_FALSE(redirection(error(text), asked));
}
