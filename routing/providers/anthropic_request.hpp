// The parts of a Messages request while it is built: prompt, tools, thinking, and the notes of what
// had to be left out. Shared by the anthropic_*.cpp files; nobody else includes it. Pure values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/chat.hpp"
#include "gateway/core/error.hpp"
#include "routing/providers/anthropic_models.hpp"

namespace tollgate::routing::anthropic {

/// What the encode found out beside the body.
struct Notes {
  bool refuse = false;      ///< `unsupported_params: refuse`
  bool limit_uses = false;  ///< tools that Anthropic runs get a number of uses
  std::vector<std::string> dropped{}, betas{};

  /// The field cannot be sent: named once in `dropped`, or 400 in strict mode.
  Result<void> drop(std::string_view field);
  void need_beta(std::string_view beta);
};

/// One content block. Text is kept apart until the end, since a prefill is still trimmed; it stays
/// in the request, which outlives the block.
struct Block {
  bool is_text = false, is_tool_result = false;
  std::string_view text{};      ///< of a text block
  std::string json{};           ///< any other block, one whole object
  std::string cache_control{};  ///< JSON or empty

  static Block of_text(std::string_view text) { return {.is_text = true, .text = text}; }
  static Block of_json(std::string json) { return {.json = std::move(json)}; }
};

struct Turn {
  bool assistant = false;
  std::vector<Block> blocks;
};

struct Prompt {
  std::vector<Block> system;
  std::vector<Turn> turns;
};

/// The prompt of a request: system and developer messages hoisted, turns merged, tool results first
/// in their turn. `thinking_blocks`: whether the model takes them back. Errors: 400 with `param` at
/// a part that Anthropic has no equivalent for.
Result<Prompt> build_prompt(const ChatRequest& request, bool thinking_blocks, Notes& notes);

/// Makes the turns acceptable: begins with the user, no turn without a block, and ends with the
/// user unless `prefill`, where the last text loses its trailing whitespace.
void settle_turns(Prompt& prompt, bool prefill);

/// The content of a message, or a part of it: spelled out only in errors.
struct Place {
  std::size_t message = 0;
  std::optional<std::size_t> part{};
  [[nodiscard]] std::string name() const;
};

/// Adds the block of one part; none for blank text. `where` names it in errors.
Result<void> add_part(const Part& part, const Place& where, Notes& notes, std::vector<Block>& out);
[[nodiscard]] bool is_blank(std::string_view text);

/// Tools and how they are to be used.
struct ToolPlan {
  std::vector<Block> tools;
  std::string choice;     ///< JSON of `tool_choice`, or empty
  bool forced = false;    ///< the choice leaves no way around a tool
  std::string json_tool;  ///< name of the tool that stands for structured output, or empty
};
Result<ToolPlan> plan_tools(const ChatRequest& request, const ModelTraits& traits, Notes& notes);

/// Thinking and effort.
struct ThinkingPlan {
  bool on = false;
  std::string json;    ///< of `thinking`, or empty: not sent
  std::string effort;  ///< of `output_config`, or empty
};
/// `limit`: max_tokens as sent; the budget shrinks to fit under it, never the other way round.
Result<ThinkingPlan> plan_thinking(const ChatRequest& request, const ModelTraits& traits,
                                   std::int64_t limit, bool forced_tool, Notes& notes);

/// `schema` as structured output takes it: no ranges, patterns or lengths, oneOf as anyOf, every
/// object closed. Text that is no JSON comes back as it is.
[[nodiscard]] std::string output_schema(std::string_view schema);
/// `parameters` as a tool's input_schema: an object at the top without a union there.
[[nodiscard]] std::string input_schema(std::string_view parameters);

/// At most four cache marks are allowed: the last ones stay, since each covers what is before it.
/// `automatic`: the request's top-level mark takes one place.
Result<void> limit_cache_marks(ToolPlan& tools, Prompt& prompt, bool automatic, Notes& notes);

/// The whole body of POST /v1/messages. `request_bytes`: how long the client's was, which tells how
/// long this one will be.
struct Body {
  std::string json;
  std::string json_tool;
};
Result<Body> encode_body(const ChatRequest& request, const std::string& model,
                         const std::vector<std::string>& allow_fields, std::size_t request_bytes,
                         Notes& notes);

}  // namespace tollgate::routing::anthropic
