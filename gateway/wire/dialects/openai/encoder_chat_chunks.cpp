// Chunks of a streamed chat: role once per choice, calls by index with id and name once, a finish
// chunk of its own for each choice, held until the end since providers send it twice.
#include <algorithm>
#include <vector>

#include "gateway/wire/dialects/openai/chunk_frame.hpp"
#include "gateway/wire/dialects/openai/chunks.hpp"
#include "gateway/wire/json_writer.hpp"
#include "gateway/wire/reply_extra.hpp"

namespace tollgate::wire::openai {
namespace {

/// Reasoning text is kept until its signature comes, so that the block can be sent back whole; a
/// longer one goes out in fragments that merge by `index`, and memory stays bounded.
constexpr std::size_t thinking_kept_max = 256U << 10U;

struct Tool {
  std::uint32_t index = 0;
  bool has_arguments = false;
};

struct Choice {
  std::uint32_t index = 0;
  bool opened = false, finished = false;
  std::optional<FinishReason> finish{};
  std::vector<Tool> tools{};
  std::string thinking{};  // of the block that is open
  std::uint32_t blocks = 0;
};

template <class T>
T* find_index(std::vector<T>& items, std::uint32_t index) {
  const auto at = std::ranges::find(items, index, &T::index);
  return at == items.end() ? nullptr : &*at;
}

class ChatChunks final : public ChunkRenderer {
 public:
  explicit ChatChunks(const ReplyContext& context)
      : frame_(context, "chat.completion.chunk"), legacy_(context.legacy_functions) {}

  void event(const StreamEvent& event, std::string& out) override {
    std::visit([&](const auto& e) { on(e, out); }, event);
  }
  void relayed() override { roles_sent_ = true; }

  void settle(std::string& out) override {
    for (Choice& choice : choices_) {
      if (choice.finish && !choice.finished) finish(choice, *choice.finish, out);
    }
  }
  void complete(std::string& out) override {
    if (choices_.empty()) choices_.push_back({});
    settle(out);
    for (Choice& choice : choices_) {
      if (choice.finished) continue;
      finish(choice, choice.tools.empty() ? FinishReason::stop : FinishReason::tool_calls, out);
    }
  }
  void usage(std::string& out) override { frame_.usage(out, std::exchange(usage_, {})); }

 private:
  void on(const Started& e, std::string&) { frame_.started(e); }
  void on(const TextDelta& e, std::string& out) { text(e.choice, "content", e.text, out); }
  void on(const RefusalDelta& e, std::string& out) { text(e.choice, "refusal", e.text, out); }
  void on(const ReasoningDelta& e, std::string& out);
  void on(const ToolDelta& e, std::string& out);
  void on(const ExtraDelta& e, std::string& out);
  void on(const Finished& e, std::string&) { find(e.choice).finish = e.reason; }
  void on(const UsageEvent& e, std::string&) { usage_ = e; }
  void on(const Embedding&, std::string&) {}
  void on(const Ended&, std::string& out) { settle(out); }

  Choice& find(std::uint32_t index) {
    Choice* choice = find_index(choices_, index);
    return choice != nullptr ? *choice : choices_.emplace_back(Choice{.index = index});
  }
  Choice& opened(std::uint32_t index, std::string& out);
  /// `name` is a literal.
  void text(std::uint32_t choice, std::string_view name, std::string_view text, std::string& out);
  void thinking_block(Choice& choice, const ReasoningDelta& e, std::string& out);
  void open_tool(const Choice& choice, const ToolDelta& e, std::string& out);
  void arguments(const Choice& choice, std::uint32_t index, std::string_view slice,
                 std::string_view signature, std::string& out);
  void complete_arguments(const Choice& choice, Tool& tool, std::string& out);
  void finish(Choice& choice, FinishReason reason, std::string& out);

  /// `...,"delta":{` and what ends it.
  void begin(const Choice& choice, std::string& out) {
    frame_.open(out, choice.index);
    out += "\"delta\":{";
  }
  void end(std::string& out) { frame_.close_delta(out); }

  ChunkFrame frame_;
  std::vector<Choice> choices_;
  std::optional<UsageEvent> usage_;
  std::string text_head_;  // of the last chunk of text, up to the text, as most chunks begin
  std::string_view text_name_;
  std::uint32_t text_choice_ = 0;
  bool legacy_;
  bool roles_sent_ = false;
};

Choice& ChatChunks::opened(std::uint32_t index, std::string& out) {
  Choice& choice = find(index);
  if (!choice.opened && !roles_sent_) {
    begin(choice, out);
    out += "\"role\":\"assistant\",\"content\":\"\"";
    end(out);
  }
  choice.opened = true;
  return choice;
}

void ChatChunks::text(std::uint32_t choice, std::string_view name, std::string_view text,
                      std::string& out) {
  if (text.empty()) return;
  if (text_head_.empty() || choice != text_choice_ || name != text_name_) {
    text_head_.clear();
    begin(opened(choice, out), text_head_);
    text_head_.append("\"").append(name).append("\":");
    text_choice_ = choice;
    text_name_ = name;
  }
  out += text_head_;
  append_quoted(out, text);
  end(out);
}

void ChatChunks::on(const ReasoningDelta& e, std::string& out) {
  Choice& choice = opened(e.choice, out);
  text(e.choice, "reasoning_content", e.text, out);
  choice.thinking += e.text;
  const bool closes = !e.signature.empty() || !e.redacted.empty();
  if (closes || choice.thinking.size() > thinking_kept_max) thinking_block(choice, e, out);
}

/// Complete blocks, in the order in which they must go back. `index` is there for the SDKs, whose
/// helpers merge lists by it.
void ChatChunks::thinking_block(Choice& choice, const ReasoningDelta& e, std::string& out) {
  begin(choice, out);
  out += "\"thinking_blocks\":[{\"index\":";
  append_number(out, choice.blocks);
  out += ',';
  if (e.redacted.empty()) {
    append_thinking(out, choice.thinking, e.signature);
  } else {
    append_redacted_thinking(out, e.redacted);
  }
  out += "}]";
  end(out);
  choice.thinking.clear();
  if (!e.signature.empty() || !e.redacted.empty()) ++choice.blocks;
}

void ChatChunks::on(const ToolDelta& e, std::string& out) {
  Choice& choice = opened(e.choice, out);
  if (legacy_ && e.index > 0) return;  // the first API knows one call
  Tool* tool = find_index(choice.tools, e.index);
  if (tool == nullptr) {
    // Providers send calls one after another, and SDKs parse one as soon as the next begins.
    if (!choice.tools.empty()) complete_arguments(choice, choice.tools.back(), out);
    open_tool(choice, e, out);
    tool = &choice.tools.emplace_back(Tool{.index = e.index});
  }
  if (e.arguments.empty() && e.signature.empty()) return;
  tool->has_arguments = tool->has_arguments || !e.arguments.empty();
  arguments(choice, e.index, e.arguments, e.signature, out);
}

/// SDKs concatenate strings by index: id, type and name come here and never again.
void ChatChunks::open_tool(const Choice& choice, const ToolDelta& e, std::string& out) {
  begin(choice, out);
  if (legacy_) {
    out += "\"function_call\":{\"name\":";
  } else {
    out += "\"tool_calls\":[{\"index\":";
    append_number(out, e.index);
    out += ",\"id\":";
    append_quoted(out, e.id.empty() ? fallback_call_id(frame_.identity(), e.choice, e.index)
                                    : std::string_view(e.id));
    out += ",\"type\":\"function\",\"function\":{\"name\":";
  }
  append_quoted(out, e.name);
  out += legacy_ ? ",\"arguments\":\"\"}" : ",\"arguments\":\"\"}}]";
  end(out);
}

void ChatChunks::arguments(const Choice& choice, std::uint32_t index, std::string_view slice,
                           std::string_view signature, std::string& out) {
  begin(choice, out);
  if (legacy_) {
    out += "\"function_call\":{";
  } else {
    out += "\"tool_calls\":[{\"index\":";
    append_number(out, index);
    out += ",\"function\":{";
  }
  out += "\"arguments\":";
  append_quoted(out, slice);
  out += '}';
  if (!legacy_ && !signature.empty()) {
    out += ',';
    append_call_signature(out, signature);
  }
  if (!legacy_) out += "}]";
  end(out);
}

/// A call without arguments is one with none; clients parse the text.
void ChatChunks::complete_arguments(const Choice& choice, Tool& tool, std::string& out) {
  if (tool.has_arguments) return;
  tool.has_arguments = true;
  arguments(choice, tool.index, "{}", {}, out);
}

void ChatChunks::on(const ExtraDelta& e, std::string& out) {
  if (e.name == "x-tollgate" || e.choice == of_reply) return frame_.member(e.name, e.json);
  if (e.choice == of_usage) return frame_.usage_member(e.name, e.json);
  begin(opened(e.choice & ~of_choice, out), out);
  const bool beside = (e.choice & of_choice) != 0 || belongs_to_choice(e.name);
  if (beside) out += "},";
  append_quoted(out, e.name);
  out.append(":").append(e.json);
  if (!beside) return end(out);
  out += ",\"finish_reason\":null";
  frame_.close(out);
}

void ChatChunks::finish(Choice& choice, FinishReason reason, std::string& out) {
  choice.finished = true;
  opened(choice.index, out);
  // A call that the token limit cut stays as it is.
  if (reason == FinishReason::tool_calls && !choice.tools.empty()) {
    complete_arguments(choice, choice.tools.back(), out);
  }
  frame_.open(out, choice.index);
  out.append("\"delta\":{},\"finish_reason\":\"").append(finish_name(reason, legacy_)).append("\"");
  frame_.close_last(out);
}

}  // namespace

std::unique_ptr<ChunkRenderer> chat_chunks(const ReplyContext& context) {
  return std::make_unique<ChatChunks>(context);
}

}  // namespace tollgate::wire::openai
