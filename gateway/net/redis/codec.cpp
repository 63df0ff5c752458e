#include "gateway/net/redis/codec.hpp"

#include <algorithm>
#include <charconv>
#include <hiredis/hiredis.h>
#include <new>

namespace tollgate::net {
namespace {

constexpr std::string_view end_of_line = "\r\n";
constexpr std::size_t head_bytes_max = 1 + 20 + end_of_line.size();

/// `*3\r\n`, `$5\r\n`; behind them.
char* write_head(char* to, char kind, std::size_t count) {
  *to++ = kind;
  to = std::to_chars(to, to + head_bytes_max, count).ptr;
  return std::ranges::copy(end_of_line, to).out;
}

RedisReply converted(const redisReply& from) {
  RedisReply to;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      to.kind = RedisReply::Kind::integer;
      to.integer = from.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      to.kind = RedisReply::Kind::text;
      to.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ERROR:
      to.kind = RedisReply::Kind::error;
      to.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ARRAY:
      to.kind = RedisReply::Kind::array;
      to.items.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i)
        to.items.push_back(converted(*from.element[i]));
      break;
    default:
      break;
  }
  return to;
}

}  // namespace

// By hand: hiredis prints every length with sprintf, which was a third of the instructions that
// Redis added to a call.
void append_command(std::string& out, std::span<const std::string_view> args) {
  std::size_t bytes = head_bytes_max;
  for (const std::string_view arg : args)
    bytes += head_bytes_max + arg.size() + end_of_line.size();
  // Commands that are sent together grow one buffer: by halves, not each to its own length.
  if (out.capacity() - out.size() < bytes)
    out.reserve(std::max(out.size() + bytes, 2 * out.size()));
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + bytes, [before, args](char* text, std::size_t) {
    char* to = write_head(text + before, '*', args.size());
    for (const std::string_view arg : args) {
      to = write_head(to, '$', arg.size());
      to = std::ranges::copy(arg, to).out;
      to = std::ranges::copy(end_of_line, to).out;
    }
    return static_cast<std::size_t>(to - text);
  });
}

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {
  if (!reader_) throw std::bad_alloc();
}

void ReplyReader::feed(std::string_view bytes) {
  redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

Result<std::optional<RedisReply>> ReplyReader::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
    return fail(ErrorKind::internal, std::string("not understood: ") + reader_->errstr);
  }
  if (raw == nullptr) return std::nullopt;
  const std::unique_ptr<redisReply, void (*)(void*)> reply(static_cast<redisReply*>(raw),
                                                           &freeReplyObject);
  return converted(*reply);
}

}  // namespace tollgate::net
