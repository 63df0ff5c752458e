#include "gateway/net/redis/codec.hpp"

#include <hiredis/hiredis.h>
#include <new>
#include <vector>

namespace tollgate::net {
namespace {

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

void append_command(std::string& out, std::span<const std::string_view> args) {
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string_view arg : args) {
    texts.push_back(arg.empty() ? "" : arg.data());
    lengths.push_back(arg.size());
  }
  char* bytes = nullptr;
  const int length =
      redisFormatCommandArgv(&bytes, static_cast<int>(texts.size()), texts.data(), lengths.data());
  if (length < 0) throw std::bad_alloc();
  out.append(bytes, static_cast<std::size_t>(length));
  redisFreeCommand(bytes);
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
