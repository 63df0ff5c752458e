// Commands and replies as bytes; the handshake over them.
#include "gateway/net/redis/codec.hpp"

#include <array>
#include <doctest/doctest.h>
#include <vector>

#include "gateway/net/redis/handshake.hpp"

using namespace tollgate;
using namespace tollgate::net;
using Kind = RedisReply::Kind;

namespace {

std::vector<RedisReply> read_all(ReplyReader& reader) {
  std::vector<RedisReply> replies;
  for (;;) {
    auto reply = reader.next();
    REQUIRE(reply);
    if (!*reply) return replies;
    replies.push_back(std::move(**reply));
  }
}

RedisReply text(std::string value) { return {Kind::text, 0, std::move(value), {}}; }
RedisReply number(std::int64_t value) { return {Kind::integer, value, {}, {}}; }
RedisReply error(std::string value) { return {Kind::error, 0, std::move(value), {}}; }

constexpr std::string_view replies =
    "+OK\r\n:-42\r\n$-1\r\n$7\r\na\r\nb\r\nc\r\n-NOSCRIPT No such\r\n"
    "*3\r\n:1\r\n*2\r\n$0\r\n\r\n*-1\r\n$2\r\nhi\r\n*0\r\n:9007199254740993\r\n";

std::vector<RedisReply> expected() {
  const RedisReply inner{Kind::array, 0, {}, {text(""), {}}};
  return {text("OK"),
          number(-42),
          {},
          text("a\r\nb\r\nc"),
          error("NOSCRIPT No such"),
          {Kind::array, 0, {}, {number(1), inner, text("hi")}},
          {Kind::array, 0, {}, {}},
          number(9007199254740993)};
}

}  // namespace

TEST_CASE("replies cut at every byte, and byte by byte, read the same") {
  for (std::size_t cut = 0; cut <= replies.size(); ++cut) {
    CAPTURE(cut);
    ReplyReader reader;
    reader.feed(replies.substr(0, cut));
    auto got = read_all(reader);
    reader.feed(replies.substr(cut));
    for (auto& reply : read_all(reader))
      got.push_back(std::move(reply));
    CHECK(got == expected());
  }
  ReplyReader reader;
  std::vector<RedisReply> got;
  for (const char byte : replies) {
    reader.feed({&byte, 1});
    for (auto& reply : read_all(reader))
      got.push_back(std::move(reply));
  }
  CHECK(got == expected());
}

TEST_CASE("what is no RESP is an error, not a reply") {
  ReplyReader reader;
  reader.feed("HTTP/1.1 400 Bad Request\r\n");
  const auto reply = reader.next();
  REQUIRE_FALSE(reply);
  CHECK(reply.error().message.starts_with("not understood"));
}

TEST_CASE("a command keeps empty and binary arguments") {
  std::string out = "x";
  const std::array<std::string_view, 3> args{"SET", std::string_view("a\0\r\n", 4), ""};
  append_command(out, args);
  using namespace std::string_literals;
  CHECK(out == "x*3\r\n$3\r\nSET\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n"s);
}

TEST_CASE("an error is told by its first word alone") {
  CHECK(error("MOVED 1 h:1").is_error("MOVED"));
  CHECK_FALSE(error("MOVEDON 1").is_error("MOVED"));
  CHECK_FALSE(text("MOVED 1").is_error("MOVED"));
}

TEST_CASE("handshake: user, database, name and facts in order; what INFO hides is done without") {
  RedisSettings settings;
  settings.user = "gate";
  settings.password = "s3cret";
  settings.database = 3;
  RedisHandshake full(settings, RedisHandshake::Peer::master);
  std::string words;
  ReplyReader commands;
  commands.feed(full.commands());
  for (const RedisReply& command : read_all(commands)) {
    for (const RedisReply& word : command.items)
      words += word.text + " ";
  }
  CHECK(words ==
        "AUTH gate s3cret SELECT 3 CLIENT SETNAME tollgate ROLE INFO replication INFO memory ");
  const RedisReply role{Kind::array, 0, {}, {text("master"), number(0)}};
  for (const RedisReply& reply :
       {text("OK"), text("OK"), error("ERR unknown"), role,
        text("# Replication\r\nrole:master\r\nmaster_replid:abc\r\nmaster_replid2:0\r\n")})
    CHECK(full.take(reply));
  CHECK_FALSE(full.done());
  CHECK(full.take(error("NOPERM no")));
  CHECK(full.done());
  CHECK(full.facts().replication_id == "abc");
  CHECK(full.facts().eviction.empty());
}

TEST_CASE("handshake: a refused password, a missing one and a replica end it") {
  RedisSettings settings;
  settings.password = "pw";
  RedisHandshake refused(settings, RedisHandshake::Peer::any);
  CHECK_FALSE(refused.take(error("WRONGPASS invalid")));
  RedisHandshake missing(RedisSettings{}, RedisHandshake::Peer::any);
  CHECK_FALSE(missing.take(error("NOAUTH Authentication required.")));
  RedisHandshake replica(RedisSettings{}, RedisHandshake::Peer::master);
  CHECK(replica.take(text("OK")));
  const auto taken = replica.take({Kind::array, 0, {}, {text("slave"), text("10.0.0.1")}});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message == "it is no master but a slave");
}
