// Tool calls out of fragments: providers leave out the index, send null ids, several calls in one
// delta, `null` or objects as arguments, fragments of two calls in turn. ToolCalls turns all of it
// into well-formed ToolDeltas: index from 0, id and name once, then slices of the argument string,
// one call after another. One for each choice.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"
#include "routing/providers/openai_json.hpp"

namespace tollgate::routing::openai {

class ToolCalls {
 public:
  /// `choice` is where the deltas belong; `raw`: a relay, texts stay escaped, nothing is mended or
  /// put in order.
  ToolCalls(std::uint32_t choice, bool raw) : choice_(choice), raw_(raw) {}

  /// One entry of a `tool_calls` array. `reply_id` seeds ids that the provider did not give.
  void take(std::string_view call_json, std::string_view reply_id, Batch& out);
  /// The deprecated `function_call` object.
  void take_function(std::string_view function_json, std::string_view reply_id, Batch& out);
  /// The choice is over: what waited goes out. Calls without arguments get `{}`, but the last one
  /// where the token limit cut it off.
  void finish(bool cut_off, std::string_view reply_id, Batch& out);
  [[nodiscard]] bool any() const { return !calls_.empty(); }

 private:
  struct Call {
    std::optional<std::uint64_t> upstream_index;
    std::string id, name;     // the provider's
    std::string arguments;    // all of it so far
    std::size_t sent = 0;     // how much of it went out
    bool shown = false;       // its first delta went out
    std::uint32_t index = 0;  // ours, once shown
    FragmentText text;
  };
  struct Fragment;

  std::size_t find(const Fragment& fragment);
  void add(const Fragment& fragment, std::string_view reply_id, Batch& out);
  void add_arguments(Call& call, std::string_view value, Batch& out) const;
  void advance(std::string_view reply_id, Batch& out);
  void show(Call& call, std::string_view reply_id, Batch& out);
  [[nodiscard]] std::string id_for(const Call& call, std::string_view reply_id) const;

  std::uint32_t choice_;
  bool raw_;
  std::vector<Call> calls_;
  std::size_t open_ = 0;          // the call that is being told; those behind it wait
  std::uint32_t next_index_ = 0;  // of the next call that is shown
};

}  // namespace tollgate::routing::openai
