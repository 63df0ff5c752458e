// Attempt and AttemptGate: what the attempt loop asks of the rest of the house before a byte goes
// upstream, and how it reports what became of it. Routing never sees a policy or a ledger.
// One worker thread.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "gateway/core/call.hpp"
#include "gateway/core/front.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate {

/// Where an attempt is about to go; views outlive the call.
struct AttemptTarget {
  std::string_view provider, provider_kind, upstream_model;
  std::string_view host;         ///< of its base_url
  bool own_host = false;         ///< the kind's default one
  std::uint64_t body_bytes = 0;  ///< of the body as it is sent; 0 before it is encoded
};

/// How it ended.
struct AttemptEnd {
  CallStatus status = CallStatus::cancelled;
  int http_status = 0;
  std::string error, error_detail;
  std::string_view error_label;
  Usage usage;
  bool usage_from_provider = false;  ///< of the whole reply
  /// `usage` is what had been counted when the reply broke off; `text_bytes` and `since_sent` are
  /// of what came behind it.
  bool usage_so_far = false;
  // What decides the price of an attempt that brought no usage (money.md M11).
  bool fully_written = false;    ///< the whole request went upstream
  bool head_seen = false;        ///< a status came
  bool complete_reply = false;   ///< and was read to its end, good or bad
  std::uint64_t text_bytes = 0;  ///< of text, reasoning and tool arguments received
  std::chrono::nanoseconds since_sent{0};
  std::string_view
      reply_model;  ///< what the reply called the model; valid during the call of `end`
};

/// Notes the ends of attempts; implemented by the gate.
struct AttemptBook {
  virtual void end(Call& call, std::size_t index, const AttemptEnd& how) noexcept = 0;

 protected:
  ~AttemptBook() = default;
};

/// One attempt that was allowed to begin. Ends exactly once: by `end`, else as `cancelled` by the
/// destructor.
class Attempt {
 public:
  Attempt(AttemptBook& book, Call& call, std::size_t index)
      : book_(&book), call_(&call), index_(index) {}
  Attempt(Attempt&& other) noexcept
      : book_(std::exchange(other.book_, nullptr)), call_(other.call_), index_(other.index_) {}
  Attempt& operator=(Attempt&&) = delete;
  ~Attempt() { end({}); }

  void end(const AttemptEnd& how) noexcept {
    if (book_ != nullptr) std::exchange(book_, nullptr)->end(*call_, index_, how);
  }

 private:
  AttemptBook* book_;
  Call* call_;
  std::size_t index_;
};

struct AttemptGate {
  virtual ~AttemptGate() = default;
  /// Before the request is encoded for that target: sets the output limit that is to be sent there.
  virtual void prepare(Call& call, const AttemptTarget& target) = 0;
  /// Asks for leave to send. Never interrupted. Error: not begun, nothing to end.
  virtual Awaitable<Result<Attempt>> begin(Call& call, const AttemptTarget& target) = 0;
};

}  // namespace tollgate
