// CollectedReply: the events of a reply that goes out in one piece, gathered by choice and call.
// For the whole encoders of this folder; pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/chat.hpp"
#include "gateway/core/event.hpp"
#include "gateway/wire/dialects/openai/reply.hpp"

namespace tollgate::wire::openai {

struct CollectedCall {
  std::uint32_t index = 0;
  std::string id{}, name{}, arguments{}, signature{};
};

struct CollectedChoice {
  std::uint32_t index = 0;
  std::string text{}, refusal{}, reasoning{};
  std::string open_thinking{};  ///< reasoning text that no signature has closed
  std::vector<ThinkingBlock> thinking{};
  std::vector<CollectedCall> calls{};
  std::vector<RawField> extras{};
  std::vector<RawField> members{};  ///< unknown ones beside the message
  std::optional<FinishReason> finish{};

  /// What the provider said, else what the content says.
  [[nodiscard]] FinishReason finish_reason() const;
};

class CollectedReply {
 public:
  explicit CollectedReply(const ReplyContext& context) : identity(context) {}
  void add(const StreamEvent& event);
  /// Choices and calls in the order of their indices; one empty choice where none came.
  void complete();

  ReplyIdentity identity;
  std::vector<CollectedChoice> choices;
  std::optional<Usage> usage;
  std::vector<RawField> members, usage_members;  ///< unknown ones

 private:
  void on(const Started& e) { identity.started(e); }
  void on(const TextDelta& e) { choice(e.choice).text += e.text; }
  void on(const RefusalDelta& e) { choice(e.choice).refusal += e.text; }
  void on(const ReasoningDelta& e);
  void on(const ToolDelta& e);
  void on(const ExtraDelta& e);
  void on(const Finished& e) { choice(e.choice).finish = e.reason; }
  void on(const UsageEvent& e) { usage = e.usage; }
  void on(const Embedding&) {}
  void on(const Ended&) {}
  CollectedChoice& choice(std::uint32_t index);
};

}  // namespace tollgate::wire::openai
