// RedisPipeline: one established connection that all calls of a worker share. What is asked in one
// turn of the loop leaves in one write; replies are matched in order. A call that gives up keeps
// its place, so that its late reply is dropped; a connection that brings nothing for long is
// closed. Made by a link; kept alive by its reader until it is closed. The loop's thread.
#pragma once
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gateway/net/deadlines.hpp"
#include "gateway/net/redis/codec.hpp"
#include "gateway/net/stream.hpp"

namespace tollgate::net {

/// Why Redis could not be asked: store_unavailable, `place` and `why` in the detail. `sent`: the
/// command may have been carried out.
[[nodiscard]] Error redis_failure(std::string_view place, std::string_view why, bool sent);

class RedisPipeline : public std::enable_shared_from_this<RedisPipeline> {
 public:
  struct Parts {
    boost::asio::io_context& io;
    Deadlines& deadlines;
    std::string place;
    std::chrono::milliseconds command;
    std::function<void()> lost;  ///< called once when the connection has ended by itself
  };
  RedisPipeline(Parts parts, std::unique_ptr<Stream> stream, ReplyReader replies);
  ~RedisPipeline();

  /// Begins to read.
  void begin();
  /// Sends one command (behind ASKING, where `asking`) and waits for its reply, for the command's
  /// time limit at most. Error: store_unavailable.
  Awaitable<Result<RedisReply>> call(std::span<const std::string_view> args, bool asking);
  [[nodiscard]] bool is_open() const { return open_; }
  /// Ends the connection and all who wait on it.
  void close(std::string_view why);

 private:
  class Waiter;
  class Stuck;
  Awaitable<void> read(std::shared_ptr<RedisPipeline> self);
  Awaitable<void> write(std::shared_ptr<RedisPipeline> self);
  bool take_replies();
  void queue(Waiter* waiter);
  void flush_soon();
  void give_up(Waiter& waiter);
  void ended(std::string_view why);

  Parts parts_;
  std::unique_ptr<Stream> stream_;
  ReplyReader replies_;
  std::deque<Waiter*> waiting_;  // nullptr: nobody wants this reply
  std::unique_ptr<Stuck> stuck_;
  std::string out_, leaving_;
  bool writing_ = false, open_ = true;
};

}  // namespace tollgate::net
