// Messages as turns: what Anthropic calls system is taken out, the rest alternates between user and
// assistant, and every tool result stands first in the user turn behind its call.
#include <algorithm>
#include <span>

#include "gateway/wire/base64.hpp"
#include "gateway/wire/json_writer.hpp"
#include "routing/providers/anthropic_ids.hpp"
#include "routing/providers/anthropic_request.hpp"
#include "routing/providers/json_tree.hpp"

namespace tollgate::routing::anthropic {
namespace {

using wire::JsonWriter;

/// Stands where the API wants words of the user and the client has none.
constexpr std::string_view filler = "Continue.";

/// Another provider's signature would be refused; one that is no base64 cannot be Anthropic's.
bool is_signed(const ThinkingBlock& block) {
  return !block.signature.empty() && wire::base64_decode(block.signature).has_value();
}

std::optional<Block> thinking_block(const ThinkingBlock& block) {
  std::string json;
  JsonWriter w(json);
  if (!block.redacted.empty()) {
    w.begin_object().member("type", "redacted_thinking").member("data", block.redacted);
  } else if (is_signed(block)) {
    w.begin_object().member("type", "thinking").member("thinking", block.text);
    w.member("signature", block.signature);
  } else {
    return std::nullopt;
  }
  w.end_object();
  return Block::of_json(std::move(json));
}

bool is_object(std::string_view json) {
  const auto first = json.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && json[first] == '{' && is_json(json);
}

/// `input` must be an object: free text, and arguments that were cut or broken, are wrapped.
void write_input(JsonWriter& w, const ToolCall& call) {
  const std::string_view arguments = call.arguments;
  if (!call.custom && (is_blank(arguments) || arguments == "null")) {
    w.raw("{}");
  } else if (!call.custom && is_object(arguments)) {
    w.raw(arguments);
  } else {
    w.begin_object().member(call.custom ? "input" : "arguments", arguments).end_object();
  }
}

Block tool_use_block(const ToolCall& call, const std::string& id) {
  std::string json;
  JsonWriter w(json);
  w.begin_object().member("type", "tool_use").member("id", id).member("name", call.name);
  w.key("input");
  write_input(w, call);
  w.end_object();
  Block block = Block::of_json(std::move(json));
  block.cache_control = call.cache_control_json;
  return block;
}

void write_block(JsonWriter& w, const Block& block) {
  if (block.is_text) {
    w.begin_object().member("type", "text").member("text", block.text).end_object();
  } else {
    w.raw(block.json);
  }
}

/// A lone string stays one, as the client wrote it.
void write_result_content(JsonWriter& w, const std::vector<Block>& blocks) {
  if (blocks.empty()) {
    w.value("");
  } else if (blocks.size() == 1 && blocks.front().is_text) {
    w.value(blocks.front().text);
  } else {
    w.begin_array();
    for (const Block& block : blocks)
      write_block(w, block);
    w.end_array();
  }
}

class PromptBuilder {
 public:
  PromptBuilder(bool thinking_blocks, Notes& notes)
      : thinking_blocks_(thinking_blocks), notes_(notes) {}

  void expect(std::size_t messages) { prompt_.turns.reserve(messages); }

  /// `at`: the message's place in the request.
  Result<void> add(const Message& message, std::size_t at) {
    if (!message.name.empty() && message.role != Role::tool) {
      if (auto named = notes_.drop("messages.name"); !named) return named;
    }
    switch (message.role) {
      case Role::system:
      case Role::developer:
        return add_system(message, at);
      case Role::user:
        return add_content(message, at, turn(false).blocks);
      case Role::assistant:
        return add_assistant(message, at);
      case Role::tool:
        return add_result(message, at);
    }
    return {};
  }
  Prompt take() { return std::move(prompt_); }

 private:
  Result<void> add_content(const Message& message, std::size_t at, std::vector<Block>& out) {
    for (std::size_t i = 0; i < message.content.size(); ++i) {
      Place place{.message = at};
      if (!message.content_is_string) place.part = i;
      if (auto added = add_part(message.content[i], place, notes_, out); !added) return added;
    }
    return {};
  }

  /// The last turn, or a new one where another role spoke last.
  Turn& turn(bool assistant) {
    if (prompt_.turns.empty() || prompt_.turns.back().assistant != assistant) {
      prompt_.turns.push_back({assistant, {}});
    }
    return prompt_.turns.back();
  }

  Result<void> add_system(const Message& message, std::size_t at) {
    const std::size_t before = prompt_.system.size();
    if (auto added = add_content(message, at, prompt_.system); !added) return added;
    if (std::ranges::all_of(std::span(prompt_.system).subspan(before), &Block::is_text)) return {};
    return fail(ErrorKind::invalid_request, "system messages hold text only",
                Place{.message = at}.name());
  }

  /// An assistant message without anything in it is no turn: most hosts refuse it.
  Result<void> add_assistant(const Message& message, std::size_t at) {
    std::vector<Block> all;
    if (thinking_blocks_) {
      for (const ThinkingBlock& thought : message.thinking) {
        if (auto block = thinking_block(thought)) all.push_back(std::move(*block));
      }
    }
    if (auto added = add_content(message, at, all); !added) return added;
    if (!message.tool_calls.empty()) ids_.begin_calls();
    for (const ToolCall& call : message.tool_calls)
      all.push_back(tool_use_block(call, ids_.call(call.id)));
    if (!all.empty()) std::ranges::move(all, std::back_inserter(turn(true).blocks));
    return {};
  }

  Result<void> add_result(const Message& message, std::size_t at) {
    std::vector<Block> content;
    if (auto added = add_content(message, at, content); !added) return added;
    std::string json, mark;
    JsonWriter w(json);
    w.begin_object().member("type", "tool_result");
    w.member("tool_use_id", ids_.result(message.tool_call_id)).key("content");
    write_result_content(w, content);
    if (message.is_error) w.member("is_error", true);
    w.end_object();
    for (const Block& block : content) {
      if (!block.cache_control.empty()) mark = block.cache_control;
    }
    std::vector<Block>& blocks = turn(false).blocks;
    const auto behind_results = std::ranges::find(blocks, false, &Block::is_tool_result);
    blocks.insert(behind_results,
                  {.is_tool_result = true, .json = std::move(json), .cache_control = mark});
    return {};
  }

  bool thinking_blocks_;
  Notes& notes_;
  ToolIds ids_;
  Prompt prompt_;
};

void trim_prefill(Prompt& prompt) {
  Turn& last = prompt.turns.back();
  if (!last.blocks.back().is_text) return;
  // A text block is never blank, so something stays.
  std::string_view& text = last.blocks.back().text;
  text = text.substr(0, text.find_last_not_of(" \t\r\n\f\v") + 1);
}

}  // namespace

Result<Prompt> build_prompt(const ChatRequest& request, bool thinking_blocks, Notes& notes) {
  PromptBuilder builder(thinking_blocks, notes);
  builder.expect(request.messages.size());
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    if (auto added = builder.add(request.messages[i], i); !added) {
      return std::unexpected(added.error());
    }
  }
  return builder.take();
}

void settle_turns(Prompt& prompt, bool prefill) {
  auto& turns = prompt.turns;
  if (turns.empty() || turns.front().assistant) turns.insert(turns.begin(), Turn{});
  if (turns.back().assistant && !prefill) turns.push_back({});
  for (Turn& turn : turns) {
    if (turn.blocks.empty()) turn.blocks.push_back(Block::of_text(filler));
  }
  if (turns.back().assistant) trim_prefill(prompt);
}

}  // namespace tollgate::routing::anthropic
