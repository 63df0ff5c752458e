// UpstreamConnection: one open connection to a provider (or its proxy) with its read buffer and the
// key it is pooled under. Made by the connector, moved between the pool and one exchange. Worker's
// thread.
#pragma once
#include <boost/intrusive/list.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gateway/core/block.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/net/stream.hpp"
#include "gateway/net/upstream_stats.hpp"

namespace tollgate::net {

/// Bytes that came and are not used yet, in a block that others may hold: what they see never
/// changes, and a block that nobody else holds is used again.
class ReadBuffer {
 public:
  static constexpr std::size_t block_bytes = 16 * 1024;

  [[nodiscard]] std::string_view unread() const {
    return block_ ? std::string_view(block_->data() + begin_, end_ - begin_) : std::string_view();
  }
  [[nodiscard]] const std::shared_ptr<Block>& block() const { return block_; }
  void consume(std::size_t bytes) { begin_ += bytes; }
  /// Lets go of memory that holds nothing, before a wait that may be long.
  void rest() {
    if (begin_ == end_) block_.reset(), begin_ = end_ = 0;
  }
  /// Room for the next read, never empty.
  [[nodiscard]] std::span<char> room();
  void filled(std::size_t bytes) { end_ += bytes; }

 private:
  void renew();

  std::shared_ptr<Block> block_;
  std::size_t begin_ = 0, end_ = 0;
};

// The pool's two orders, while idle.
using IdleHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct IdleOrder>>;
using ShelfHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct ShelfOrder>>;

struct UpstreamConnection : IdleHook, ShelfHook {
  UpstreamConnection(std::string pool_key, UpstreamStats& stats)
      : key(std::move(pool_key)), open(stats) {}
  std::string key;
  OpenMark open;
  std::unique_ptr<Stream> stream;
  ReadBuffer buffer;
  bool reused = false;
  SteadyTime idle_since{}, idle_until{};
};

/// False when the peer has closed, reset or sent something that nobody asked for. `sure`: as
/// Stream::is_silent.
[[nodiscard]] bool is_quiet(UpstreamConnection& connection, bool sure);

}  // namespace tollgate::net
