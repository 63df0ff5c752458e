// Content blocks of an Anthropic reply as events: the inner half of the stream state machine, also
// driven by whole replies (each block then starts with all it has). One object a reply.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/wire/json_view.hpp"
#include "routing/provider.hpp"
#include "routing/providers/openai_json.hpp"

namespace tollgate::routing::anthropic {

class BlockEvents {
 public:
  explicit BlockEvents(const DecodeHints& hints)
      : json_tool_(hints.json_tool ? hints.json_tool_name : std::string()) {}

  void start(std::int64_t index, const wire::JsonView& block, Batch& out);
  /// Returns the JSON string that the delta brings: of a piece of text, reasoning or arguments.
  /// Empty: it is none of these.
  std::string_view delta(std::int64_t index, const wire::JsonView& delta, Batch& out);
  /// Another delta that says the same as the last one of those but for its string, which is
  /// `quoted`. Only while `goes_on()`.
  void again(std::string_view quoted, Batch& out);
  [[nodiscard]] bool goes_on() const { return last_ != nullptr; }
  void stop(std::int64_t index, Batch& out);
  /// Pushes the finish. `reason` empty: the provider gave none, so the blocks tell.
  void finish(std::string_view reason, Batch& out);

  /// True once a client has seen something of the reply.
  [[nodiscard]] bool produced() const { return produced_; }

 private:
  enum class Kind : std::uint8_t { text, thinking, tool, json_tool, skipped };
  enum class Fragment : std::uint8_t { text, thinking, input };
  struct FragmentRow {
    std::string_view type, member;
    Fragment what;
  };
  struct Open {
    Kind kind = Kind::skipped;
    std::uint32_t tool = 0;   ///< index among the tool calls, not among the blocks
    bool has_input = false;   ///< a piece of the arguments was sent
    std::string whole_input;  ///< of a block that came with its input at once
    std::string signature;
    openai::FragmentText fragments;  ///< of what the block streams: half a character may wait
  };

  [[nodiscard]] Kind kind_of(std::string_view type, std::string_view name) const;
  void start_tool(Open& open, const wire::JsonObject& block, Batch& out);
  void start_thinking(Open& open, const wire::JsonObject& block, Batch& out);
  void send_text(std::string_view text, Batch& out);
  void send_reasoning(std::string_view text, Batch& out);
  void send_input(Open& open, std::string_view json, Batch& out);

  std::string json_tool_;  ///< name of the tool that stands for structured output, or empty
  std::map<std::int64_t, Open> open_;
  Open* last_ = nullptr;  ///< what the last delta was for: of open_; and what that was
  Fragment last_fragment_ = Fragment::text;
  std::vector<Open> without_input_;  ///< calls that ended without arguments
  std::uint32_t tools_ = 0;
  bool json_tool_called_ = false;
  bool produced_ = false;
};

}  // namespace tollgate::routing::anthropic
