#include "gateway/core/event.hpp"

namespace tollgate {

std::string_view to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::tool_calls:
      return "tool_calls";
    case FinishReason::content_filter:
      return "content_filter";
    case FinishReason::function_call:
      return "function_call";
  }
  return "stop";
}

bool is_content(const StreamEvent& event) {
  return std::holds_alternative<TextDelta>(event) || std::holds_alternative<RefusalDelta>(event) ||
         std::holds_alternative<ReasoningDelta>(event) ||
         std::holds_alternative<ToolDelta>(event) || std::holds_alternative<ExtraDelta>(event) ||
         std::holds_alternative<Embedding>(event) || std::holds_alternative<Finished>(event);
}

}  // namespace tollgate
