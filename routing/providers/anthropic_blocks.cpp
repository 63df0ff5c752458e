#include "routing/providers/anthropic_blocks.hpp"

#include <algorithm>
#include <array>

#include "routing/providers/anthropic_decode.hpp"
#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::anthropic {

using wire::JsonObject;
using wire::JsonView;

BlockEvents::Kind BlockEvents::kind_of(std::string_view type, std::string_view name) const {
  if (type == "text") return Kind::text;
  if (type == "thinking" || type == "redacted_thinking") return Kind::thinking;
  // server_tool_use and *_tool_result are the provider's own business.
  if (type != "tool_use") return Kind::skipped;
  return !json_tool_.empty() && name == json_tool_ ? Kind::json_tool : Kind::tool;
}

void BlockEvents::start(std::int64_t index, const JsonView& object, Batch& out) {
  const JsonObject block(object);
  Open& open = open_[index] = {};
  open.kind = kind_of(block["type"].string_in(out), block["name"].string_in(out));
  switch (open.kind) {
    case Kind::text:
      return send_text(block["text"].string_in(out), out);
    case Kind::thinking:
      return start_thinking(open, block, out);
    case Kind::tool:
    case Kind::json_tool:
      return start_tool(open, block, out);
    case Kind::skipped:
      return;
  }
}

void BlockEvents::start_tool(Open& open, const JsonObject& block, Batch& out) {
  // Streams begin with a placeholder `{}` and send the arguments afterwards.
  const std::string_view input = block["input"].text();
  if (block["input"].is_object() && input.find('"') != std::string_view::npos) {
    open.whole_input = input;
  }
  if (open.kind == Kind::json_tool) {
    json_tool_called_ = true;
    return;
  }
  open.tool = tools_++;
  produced_ = true;
  out.push(
      ToolDelta{0, open.tool, block["id"].string_in(out), block["name"].string_in(out), {}, {}});
}

void BlockEvents::start_thinking(Open& open, const JsonObject& block, Batch& out) {
  send_reasoning(block["thinking"].string_in(out), out);
  open.signature = block["signature"].string();
  const std::string_view redacted = block["data"].string_in(out);
  if (redacted.empty()) return;
  produced_ = true;
  out.push(ReasoningDelta{0, {}, {}, redacted});
}

std::string_view BlockEvents::delta(std::int64_t index, const JsonView& object, Batch& out) {
  static constexpr std::array rows{
      FragmentRow{"text_delta", "text", Fragment::text},
      FragmentRow{"thinking_delta", "thinking", Fragment::thinking},
      FragmentRow{"input_json_delta", "partial_json", Fragment::input},
  };
  const JsonObject delta(object);
  Open& open = open_[index];
  const std::string_view type = delta["type"].string_in(out);
  const auto row = std::ranges::find(rows, type, &FragmentRow::type);
  if (row != rows.end()) {
    const JsonView text = delta[row->member];
    if (!text.is_string()) return {};
    last_ = &open;
    last_fragment_ = row->what;
    again(text.text(), out);
    return text.text();
  }
  // A later signature replaces an earlier one.
  if (type == "signature_delta") open.signature = delta["signature"].string();
  return {};
}

void BlockEvents::again(std::string_view quoted, Batch& out) {
  const std::string_view text = last_->fragments.take(quoted, out);
  switch (last_fragment_) {
    case Fragment::text:
      return send_text(text, out);
    case Fragment::thinking:
      return send_reasoning(text, out);
    case Fragment::input:
      return send_input(*last_, text, out);
  }
}

void BlockEvents::stop(std::int64_t index, Batch& out) {
  const auto found = open_.find(index);
  if (found == open_.end()) return;
  Open& open = found->second;
  if (open.kind == Kind::thinking && !open.signature.empty()) {
    produced_ = true;
    out.push(ReasoningDelta{0, {}, out.store(open.signature), {}});
  }
  if (!open.has_input && !open.whole_input.empty()) {
    send_input(open, out.store(compact_json(open.whole_input)), out);
  }
  if (!open.has_input && (open.kind == Kind::tool || open.kind == Kind::json_tool)) {
    without_input_.push_back(open);
  }
  open_.erase(found);
  last_ = nullptr;
}

void BlockEvents::finish(std::string_view reason, Batch& out) {
  const bool called = tools_ > 0 || json_tool_called_;
  if (reason.empty()) reason = called ? "tool_use" : "end_turn";
  FinishReason finish = finish_reason(reason);
  if (finish == FinishReason::tool_calls) {
    // A call that the token limit cut also has no arguments: only a finished one means `{}`.
    for (Open& open : without_input_)
      send_input(open, "{}", out);
    if (json_tool_called_ && tools_ == 0) finish = FinishReason::stop;
  }
  out.push(Finished{.reason = finish});
}

void BlockEvents::send_text(std::string_view text, Batch& out) {
  if (text.empty()) return;
  produced_ = true;
  out.push(TextDelta{.text = text});
}

void BlockEvents::send_reasoning(std::string_view text, Batch& out) {
  if (text.empty()) return;
  produced_ = true;
  out.push(ReasoningDelta{0, text, {}, {}});
}

void BlockEvents::send_input(Open& open, std::string_view json, Batch& out) {
  if (json.empty()) return;
  if (open.kind == Kind::json_tool) {
    open.has_input = true;
    send_text(json, out);
  } else if (open.kind == Kind::tool) {
    open.has_input = true;
    out.push(ToolDelta{0, open.tool, {}, {}, json, {}});
  }
}

}  // namespace tollgate::routing::anthropic
