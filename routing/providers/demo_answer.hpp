// What the demo model says: to a chat, to a prompt. Deterministic, and shaped by what was asked:
// text that refers to the last message, calls of the offered tools, instances of a JSON schema.
// Used by the demo script; pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/chat.hpp"
#include "gateway/core/event.hpp"
#include "routing/providers/demo_params.hpp"

namespace tollgate::routing::demo {

/// One word, as it is streamed and counted.
struct Piece {
  enum class What : std::uint8_t { text, call, arguments } what = What::text;
  std::string text;         ///< call: the tool's name
  std::uint32_t index = 0;  ///< which call
  bool custom = false;      ///< a tool with free text instead of arguments
};

struct Answer {
  std::vector<Piece> pieces;
  FinishReason finish = FinishReason::stop;
};

/// `choice` varies the text where several answers were asked for.
[[nodiscard]] Answer answer_chat(const ChatRequest& request, const Params& params,
                                 std::uint32_t choice);
[[nodiscard]] Answer answer_prompt(std::string_view prompt, const Params& params,
                                   std::uint32_t choice);
/// Cuts the answer at the first of `stop`, then at `max_tokens` words (none below 0).
void limit(Answer& answer, const std::vector<std::string>& stop, std::int64_t max_tokens);

/// Four bytes a token, and a little for each message.
[[nodiscard]] std::uint64_t prompt_tokens(const ChatRequest& request);
[[nodiscard]] std::uint64_t text_tokens(std::string_view text);

}  // namespace tollgate::routing::demo
