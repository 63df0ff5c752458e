#include "policies/store/redis_scripts.hpp"

namespace tollgate::policies {
namespace {

constexpr char books[] = {
#embed "redis/books.lua"
};
constexpr char reserve_text[] = {
#embed "redis/reserve.lua"
};
constexpr char extend_text[] = {
#embed "redis/extend.lua"
};
constexpr char settle_text[] = {
#embed "redis/settle.lua"
};
constexpr char read_text[] = {
#embed "redis/read.lua"
};
constexpr char fill_text[] = {
#embed "redis/fill.lua"
};
constexpr char renew_text[] = {
#embed "redis/renew.lua"
};
constexpr char due_text[] = {
#embed "redis/due.lua"
};
constexpr char peek_text[] = {
#embed "redis/peek.lua"
};
constexpr char answered_text[] = {
#embed "redis/answered.lua"
};
constexpr char join_text[] = {
#embed "redis/join.lua"
};
constexpr char run_out_text[] = {
#embed "redis/run_out.lua"
};

template <std::size_t size>
RedisScript made(const char (&text)[size]) {
  return RedisScript::of(std::string(books, sizeof books) + std::string(text, size));
}

}  // namespace

RedisScripts::RedisScripts()
    : reserve(made(reserve_text)),
      extend(made(extend_text)),
      settle(made(settle_text)),
      read(made(read_text)),
      fill(made(fill_text)),
      renew(made(renew_text)),
      due(made(due_text)),
      peek(made(peek_text)),
      run_out(made(run_out_text)),
      answered(made(answered_text)),
      join(made(join_text)) {}

}  // namespace tollgate::policies
