#include "gateway/net/reply_writer.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace tollgate::net {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

void chunk_size_line(std::string& out, std::size_t bytes) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes, 16).ptr;
  out.assign(digits.data(), end);
  out += line_end;
}

}  // namespace

Awaitable<Result<void>> ConnectionReply::whole(const ReplyHead& head, const Pieces& body) {
  render(head, {Framing::sized, body.size(), true, to_.minor_version});
  add_head();
  if (!bodyless_) add(body);
  if (!flush_now()) {
    auto sent = co_await flush();
    if (!sent) co_return std::unexpected(sent.error());
  }
  ended_ = true;
  co_return Result<void>{};
}

void ConnectionReply::begin(const ReplyHead& head) {
  chunked_ = to_.minor_version >= 1;
  until_close_ = !chunked_;
  // HTTP/1.0 knows no chunks: there the end of the connection is the end of the reply.
  render(head,
         {chunked_ ? Framing::chunked : Framing::until_close, 0, chunked_, to_.minor_version});
}

Awaitable<Result<void>> ConnectionReply::write(const Pieces& body) {
  if (!std::exchange(added_, false)) add_chunk(body);
  return flush();
}

bool ConnectionReply::write_now(const Pieces& body) {
  add_chunk(body);
  added_ = !flush_now();
  return !added_;
}

void ConnectionReply::add_chunk(const Pieces& body) {
  add_head();
  if (!body.empty() && !bodyless_) {
    if (chunked_) {
      chunk_size_line(scratch_.size_line, body.size());
      scratch_.parts.push_back(scratch_.size_line);
    }
    add(body);
    if (chunked_) scratch_.parts.push_back(line_end);
  }
}

Awaitable<Result<void>> ConnectionReply::end() {
  add_head();
  if (chunked_ && !bodyless_) scratch_.parts.push_back(last_chunk);
  if (!flush_now()) {
    auto sent = co_await flush();
    if (!sent) co_return std::unexpected(sent.error());
  }
  ended_ = true;
  co_return Result<void>{};
}

void ConnectionReply::render(const ReplyHead& head, ReplyShape shape) {
  keep_alive_ = rule_.may_keep() && to_.keep_alive && shape.keep_alive;
  shape.keep_alive = keep_alive_;
  bodyless_ = to_.head_method || bodyless(head.status);
  render_head(scratch_.head, head, date_.now(), shape);
  head_waits_ = true;
}

void ConnectionReply::add_head() {
  scratch_.parts.clear();
  if (std::exchange(head_waits_, false)) scratch_.parts.push_back(scratch_.head);
}

void ConnectionReply::add(const Pieces& body) {
  scratch_.parts.insert(scratch_.parts.end(), body.parts().begin(), body.parts().end());
}

/// False: not all of it has left; `flush` goes on.
bool ConnectionReply::flush_now() {
  if (scratch_.parts.empty()) return true;
  started_ = true;
  return connection_.send_now(scratch_.parts);
}

Awaitable<Result<void>> ConnectionReply::flush() {
  if (scratch_.parts.empty()) co_return Result<void>{};
  started_ = true;
  if (co_await connection_.send(scratch_.parts, idle_)) co_return Result<void>{};
  co_return fail(ErrorKind::client_gone, "The client does not take the reply any more.");
}

}  // namespace tollgate::net
