// ReplyRecorder: takes down one reply while it passes, in case it may be stored. Pieces of one text
// are put together, the last usage counts. Only what was complete and went well is given out. One
// object a call that missed, on the call's worker.
#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include "gateway/core/block.hpp"
#include "policies/cache/relayed.hpp"
#include "policies/cache/reply.hpp"

namespace tollgate::cache {

class ReplyRecorder {
 public:
  /// A reply that comes to more bytes is not kept. `stream`: the form in which the client gets it.
  explicit ReplyRecorder(std::size_t bytes_max, bool stream = false)
      : bytes_max_(bytes_max), relay_(stream, bytes_max) {}

  /// In order, every batch that the client gets; `relayed`: as it came. Texts must be unescaped,
  /// also in a relay.
  void take(const Batch& batch, bool relayed = false);
  /// What the reply called its model; empty: it did not.
  [[nodiscard]] const std::string& model() const { return model_; }
  /// The bytes to store, once, with `extras`, RelayedExtras'. Empty: the reply did not end well
  /// (every choice by `stop` or a call), is too large, or holds what is only true once (audio that
  /// expires, vectors).
  [[nodiscard]] std::string finish(const ReplyFacts& facts, const std::string& extras = {});

 private:
  struct Texts {  // of the open event
    std::string text, id, name, signature, redacted;
  };

  void on(const Started& e);
  void on(const TextDelta& e) { join(e); }
  void on(const RefusalDelta& e) { join(e); }
  void on(const ReasoningDelta& e);
  void on(const ToolDelta& e);
  void on(const ExtraDelta& e);
  void on(const Finished& e);
  void on(const UsageEvent& e) { usage_ = e; }
  void on(const Embedding&) { give_up(); }
  void on(const Ended&) { ended_ = true; }

  template <class Delta>
  void join(const Delta& delta);
  template <class Delta>
  [[nodiscard]] bool goes_on(const Delta& delta) const;
  void open(StreamEvent event);
  void flush();
  void give_up();

  std::size_t bytes_max_;
  RelayRecorder relay_;
  std::string bytes_;
  std::optional<StreamEvent> open_;  // the deltas since; what they say is in `texts_`
  Texts texts_;
  std::optional<UsageEvent> usage_;
  std::string model_;
  bool finished_ = false, ended_ = false, given_up_ = false;
};

}  // namespace tollgate::cache
