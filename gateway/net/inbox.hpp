// Inbox: where a connection's received bytes lie: heads in place, small bodies in place, pipelined
// bytes behind them. Pure bookkeeping over memory, no socket: the session's reading coroutine asks
// `prepare` where to read to and says `commit`; its serving coroutine looks at `unread` and
// consumes. Two halves take turns, so that a read can stand armed behind a request that is being
// served and still have a whole half's room for the next one. One worker thread.
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "gateway/net/body_buffer.hpp"

namespace tollgate::net {

class Inbox {
 public:
  static constexpr std::size_t usual_bytes = 8 * 1024;
  /// A head may grow a half up to `head_bytes_max` and a little more, never beyond.
  explicit Inbox(std::size_t head_bytes_max);

  // ---- the reading side: no read is pending while `prepare` runs
  /// Where the next read goes; empty: no room until something is consumed.
  [[nodiscard]] std::span<char> prepare();
  void commit(std::size_t bytes);

  // ---- the serving side
  [[nodiscard]] std::string_view unread() const;
  /// Forgets the first `bytes` of `unread`.
  void consume(std::size_t bytes);
  /// Consumes them too, but leaves them where they are until `release`.
  std::string_view keep(std::size_t bytes);
  /// Nothing kept is looked at any more.
  void release();
  /// Gives memory back that holds nothing and that no read is under way to.
  void give_back();
  /// Whether `bytes` more than is consumed can come to lie in one piece here.
  [[nodiscard]] bool fits(std::uint64_t bytes) const;
  /// Reads go straight into `body` while it has room and nothing unread lies here; null: no more.
  void divert(BodyBuffer* body) { body_ = body; }
  /// From now on everything that comes is counted and forgotten.
  void drop() { dropping_ = true; }
  [[nodiscard]] std::size_t dropped() const { return dropped_; }

 private:
  struct Half {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
    void resize(std::size_t to, std::string_view content);
  };
  [[nodiscard]] Half& half() { return halves_[active_]; }
  [[nodiscard]] const Half& half() const { return halves_[active_]; }
  void make_room();
  void start_over();

  std::size_t capacity_max_;
  std::array<Half, 2> halves_;
  std::size_t active_ = 0;
  std::size_t kept_ = 0;     // bytes at the front of the active half that views point into
  bool other_kept_ = false;  // the other half holds such bytes
  std::size_t begin_ = 0, end_ = 0;
  BodyBuffer* body_ = nullptr;
  bool into_body_ = false;  // where the pending read goes
  bool reading_ = false;    // what `prepare` gave is still waited for
  bool dropping_ = false;
  std::size_t dropped_ = 0;
};

}  // namespace tollgate::net
