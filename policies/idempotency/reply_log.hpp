// ReplyLog: a reply as it is written, kept so that others can read it too: a retry with the same
// idempotency key while the call runs or after it, another run of an equal call. One writer on the
// worker of the call that pays, never slowed by readers; any number of readers on any worker, each
// at its own pace. Its bytes never move and stay for as long as somebody holds the log.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"
#include "gateway/core/pieces.hpp"

namespace tollgate::policies {

/// What of a reply's head belongs to the reply and not to the call that got it.
struct KeptHead {
  int status = 200;
  bool stream = false;
  std::string fields;  ///< header lines
};

/// Whoever counts the memory of logs.
struct LogRoom {
  /// False: there is no room for so many bytes more.
  virtual bool take(std::uint64_t bytes) noexcept = 0;

 protected:
  ~LogRoom() = default;
};

class ReplyLog {
 public:
  enum class State : std::uint8_t {
    running,
    done,    ///< all of it is here
    failed,  ///< nothing was spent and nothing counts: a reader may call on its own
    lost     ///< the rest is not here; the call was or may have been paid
  };

  /// A reader that waits; woken once, from the writer's thread, to look again.
  struct Waiter {
    virtual void wake() noexcept = 0;

   protected:
    ~Waiter() = default;
  };

  // ---- the writer
  /// Of a reply that comes in parts: readers may begin.
  void begin(KeptHead head);
  /// One or more whole frames, copied. False: no room; the log is `lost` from here on.
  bool append(const Pieces& frames, LogRoom& room);
  /// The last word; later ones are ignored. `error`: what the reply tells its client.
  void end(State state, std::optional<Error> error = std::nullopt);

  // ---- readers
  /// Adds what stands behind the first `from` bytes to `out`, as views; returns the state as of
  /// then: with any state but `running` that is the rest.
  State read(std::uint64_t from, Pieces& out) const;
  /// nullptr: not yet known. What it points to stays.
  [[nodiscard]] const KeptHead* head() const;
  /// Once ended.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  /// Keeps `waiter` until there is more than the reader knows: `from` bytes, `head` or not. False:
  /// there is already.
  [[nodiscard]] bool wait(std::uint64_t from, bool head, std::shared_ptr<Waiter> waiter);
  void forget(const Waiter* waiter) noexcept;

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t used = 0, capacity = 0;
  };
  bool make_room(std::size_t bytes, LogRoom& room);
  void copy(std::string_view bytes);
  void wake_all(std::unique_lock<std::mutex> lock);

  mutable std::mutex mutex_;  // guards all below; the writer alone changes them
  std::vector<Block> blocks_;
  std::uint64_t bytes_ = 0;
  std::optional<KeptHead> head_;
  State state_ = State::running;
  std::optional<Error> error_;
  std::vector<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace tollgate::policies
