#include "gateway/net/upstream_connection.hpp"

#include <algorithm>

#include "gateway/net/spare_blocks.hpp"

namespace tollgate::net {

namespace {
constexpr std::size_t room_min = 2048;  // below that a new block costs less than the small reads
}

std::span<char> ReadBuffer::room() {
  if (block_ && begin_ == end_ && block_.use_count() == 1) begin_ = end_ = 0;
  if (!block_ || block_->capacity() - end_ < room_min) renew();
  return {block_->data() + end_, block_->capacity() - end_};
}

/// Takes a fresh block, along with what is unread: little in a body, more in a long head.
void ReadBuffer::renew() {
  const std::string_view rest = unread();
  const std::size_t bytes = std::max(block_bytes, 2 * rest.size());
  auto fresh = bytes == block_bytes ? take_block(bytes) : std::make_shared<Block>(bytes);
  std::copy_n(rest.data(), rest.size(), fresh->data());
  begin_ = 0;
  end_ = rest.size();
  block_ = std::move(fresh);
}

bool is_quiet(UpstreamConnection& connection, bool sure) {
  return connection.buffer.unread().empty() && connection.stream->is_silent(sure);
}

}  // namespace tollgate::net
