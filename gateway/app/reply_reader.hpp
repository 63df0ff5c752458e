// ReplyReader: one call's place in a reply that another call writes, or wrote. Waits for more of it
// without polling: the writer's worker posts to this one. Owned by the reading call, on its worker.
#pragma once
#include <memory>

#include "gateway/app/services.hpp"
#include "gateway/core/call.hpp"
#include "policies/idempotency/reply_log.hpp"

namespace tollgate::app {

class ReplyReader {
 public:
  ReplyReader(const Loop& loop, std::shared_ptr<policies::ReplyLog> log, Call& call);
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  enum class Step : std::uint8_t {
    head,    ///< is known now, see `log().head()`
    bytes,   ///< frames were added
    end,     ///< the rest was added; `state()` says how it ended
    timeout  ///< `until` came first
  };
  /// Waits for the next of these; frames are views that stay for as long as the log is held.
  /// Errors: why the call was aborted, deadline_exceeded.
  Awaitable<Result<Step>> next(Pieces& frames, SteadyTime until);
  [[nodiscard]] policies::ReplyLog::State state() const { return state_; }
  [[nodiscard]] const policies::ReplyLog& log() const { return *log_; }

 private:
  class Wakeup;
  std::optional<Step> look(Pieces& frames);
  Awaitable<void> wait(SteadyTime until);

  const Loop& loop_;
  std::shared_ptr<policies::ReplyLog> log_;
  Call& call_;
  std::shared_ptr<Wakeup> wakeup_;
  std::uint64_t taken_ = 0;
  bool head_known_ = false;
  policies::ReplyLog::State state_ = policies::ReplyLog::State::running;
};

}  // namespace tollgate::app
