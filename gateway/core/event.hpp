// StreamEvent: the canonical reply, one event at a time; a whole reply is the same events at once.
// Made by a provider's decoder, read by policies, metrics and the client's encoder.
// Text members are views into the blocks of the Batch that carries them.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "gateway/core/error.hpp"
#include "gateway/core/money.hpp"

namespace tollgate {

/// The service tier that a reply named, in the provider's spelling; empty: none. Longer names than
/// any known one are cut.
class TierName {
 public:
  TierName() = default;
  explicit TierName(std::string_view name)
      : size_(static_cast<std::uint8_t>(std::min(name.size(), text_.size()))) {
    std::copy_n(name.begin(), size_, text_.begin());
  }
  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }
  bool operator==(const TierName&) const = default;

 private:
  std::array<char, 23> text_{};
  std::uint8_t size_ = 0;
};

/// Tokens of one attempt, each kind once: `input` excludes what was read from or written to a
/// cache. Then what is paid for beside tokens.
struct Usage {
  std::uint64_t input = 0;
  std::uint64_t cache_read = 0;
  std::uint64_t cache_write = 0;     ///< all lifetimes together
  std::uint64_t cache_write_1h = 0;  ///< the share of cache_write that lives an hour
  std::uint64_t output = 0;          ///< includes reasoning
  std::uint64_t reasoning = 0;       ///< clamped to output
  std::uint64_t audio_input = 0, audio_output = 0;
  std::uint64_t image_output = 0;                   ///< the share of output that is pictures
  std::uint32_t images = 0;                         ///< pictures in the reply
  std::uint32_t web_searches = 0, web_fetches = 0;  ///< by the provider's own tools
  TierName service_tier{};

  [[nodiscard]] std::uint64_t prompt() const { return input + cache_read + cache_write; }
  [[nodiscard]] std::uint64_t total() const { return prompt() + output; }
  bool operator==(const Usage&) const = default;
};

enum class FinishReason : std::uint8_t { stop, length, tool_calls, content_filter, function_call };
[[nodiscard]] std::string_view to_string(FinishReason reason);  ///< OpenAI's spelling

/// First event of a reply. `id` and `model` are the provider's.
struct Started {
  std::string_view id, model;
  std::int64_t created = 0;
};
struct TextDelta {
  std::uint32_t choice = 0;
  std::string_view text;
};
struct RefusalDelta {
  std::uint32_t choice = 0;
  std::string_view text;
};
/// A piece of visible reasoning. `signature` and `redacted` close the block they belong to.
struct ReasoningDelta {
  std::uint32_t choice = 0;
  std::string_view text, signature, redacted;
};
/// A fragment of tool call `index` (0-based in its choice). id and name come with the first
/// fragment only; `arguments` is a slice of the argument string.
struct ToolDelta {
  std::uint32_t choice = 0, index = 0;
  std::string_view id, name, arguments, signature;
};
/// Something the hub has no type for, as JSON under `name` of the message or choice
/// (`logprobs`, `annotations`, `audio`, `images`).
struct ExtraDelta {
  std::uint32_t choice = 0;
  std::string_view name, json;
};
struct Finished {
  std::uint32_t choice = 0;
  FinishReason reason = FinishReason::stop;
};
/// The provider's figures so far; the last one wins, never summed.
struct UsageEvent {
  Usage usage;
  NanoUsd cost = -1;  ///< what it costs, for the client to see; -1: not known or not asked for
};
/// One vector of an embeddings reply: little-endian float32 bytes.
struct Embedding {
  std::uint32_t index = 0;
  std::string_view floats;
};
/// The provider said that this is all.
struct Ended {};

using StreamEvent = std::variant<Started, TextDelta, RefusalDelta, ReasoningDelta, ToolDelta,
                                 ExtraDelta, Finished, UsageEvent, Embedding, Ended>;

/// True for what a client would see as content: until the first such event failover is invisible.
[[nodiscard]] bool is_content(const StreamEvent& event);

}  // namespace tollgate
