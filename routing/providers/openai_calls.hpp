// Tool calls out of fragments: providers leave out the index, send null ids, several calls in one
// delta, `null` or objects as arguments. ToolCalls turns all of it into well-formed ToolDeltas:
// index from 0, id and name once, then slices of the argument string. One for each choice.
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
  /// `choice` is where the deltas belong; `raw`: a relay, texts stay escaped and nothing is mended.
  ToolCalls(std::uint32_t choice, bool raw) : choice_(choice), raw_(raw) {}

  /// One entry of a `tool_calls` array. `reply_id` seeds ids that the provider did not give.
  void take(std::string_view call_json, std::string_view reply_id, Batch& out);
  /// The deprecated `function_call` object.
  void take_function(std::string_view function_json, std::string_view reply_id, Batch& out);
  /// The choice is over. Calls without arguments get `{}`, unless they were cut off.
  void finish(bool cut_off, Batch& out);
  [[nodiscard]] bool any() const { return !calls_.empty(); }

 private:
  struct Call {
    std::optional<std::uint64_t> upstream_index;
    std::string id;      // the provider's
    bool shown = false;  // its first delta went out
    bool has_arguments = false;
    std::string waiting;  // arguments that came before the name
    FragmentText text;
  };
  struct Fragment;

  Call& find(const Fragment& fragment);
  void add(const Fragment& fragment, std::string_view reply_id, Batch& out);
  std::string_view arguments_of(Call& call, std::string_view value, Batch& out);
  [[nodiscard]] std::string id_for(const Call& call, std::string_view reply_id) const;

  std::uint32_t choice_;
  bool raw_;
  std::vector<Call> calls_;
};

}  // namespace tollgate::routing::openai
