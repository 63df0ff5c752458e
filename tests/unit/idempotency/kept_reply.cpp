// A reply that other replicas are to find: byte for byte what its client got, or nothing.
#include "policies/idempotency/kept_reply.hpp"

#include <doctest/doctest.h>

namespace tollgate::policies {
namespace {

struct Room final : LogRoom {
  bool take(std::uint64_t) noexcept override { return true; }
};

ReplyLog& filled(ReplyLog& log, std::optional<Error> error = std::nullopt) {
  log.begin({.status = error ? error->status : 200, .stream = true, .fields = "a: b\r\n"});
  Room room;
  for (const std::string& text : {std::string(3000, 'x'), std::string("\0\n", 2)}) {
    Pieces frames;
    frames.own(std::string(text));
    log.append(frames, room);
  }
  log.end(ReplyLog::State::done, std::move(error));
  return log;
}

std::string bytes_of(const ReplyLog& log) {
  Pieces frames;
  CHECK(log.read(0, frames) == ReplyLog::State::done);
  std::string out;
  for (const std::string_view part : frames.parts())
    out += part;
  return out;
}

TEST_CASE("a kept reply comes back whole") {
  ReplyLog log;
  const auto again = read_kept(write_kept(filled(log)));
  REQUIRE(again);
  CHECK(bytes_of(*again) == std::string(3000, 'x') + std::string("\0\n", 2));
  CHECK(again->head()->status == 200);
  CHECK(again->head()->stream);
  CHECK(again->head()->fields == "a: b\r\n");
  CHECK_FALSE(again->error());
}

TEST_CASE("a kept error says what its client was told") {
  ReplyLog log;
  const Error told = make_error(ErrorKind::stream_cut, "it broke off");
  const auto again = read_kept(write_kept(filled(log, told)));
  REQUIRE(again);
  REQUIRE(again->error());
  CHECK(again->error()->kind == told.kind);
  CHECK(again->error()->status == told.status);
  CHECK(again->error()->code == told.code);
  CHECK(again->error()->message == told.message);
  CHECK(again->error()->origin == told.origin);
}

TEST_CASE("what another version wrote, or a part of it, is no reply") {
  ReplyLog log;
  std::string bytes = write_kept(filled(log));
  CHECK_FALSE(read_kept(""));
  CHECK_FALSE(read_kept(std::string_view(bytes).substr(0, 6)));
  bytes[0] = static_cast<char>(bytes[0] + 2);
  CHECK_FALSE(read_kept(bytes));
}

}  // namespace
}  // namespace tollgate::policies
