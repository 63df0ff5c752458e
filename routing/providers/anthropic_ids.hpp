// Tool ids as Anthropic takes them: letters, digits, `_` and `-`, each used once. Ids of other
// providers are mapped by a rule without a memory, so that a replayed history stays cacheable.
// One object for each encoded request.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::routing::anthropic {

class ToolIds {
 public:
  /// An assistant message with tool calls begins: results from now on are for its calls.
  void begin_calls() { open_.clear(); }
  /// The id to send for a call that the client named `id` (maybe empty, "null" or used before).
  std::string call(std::string_view id);
  /// The id to send in the result that the client tied to `id`.
  std::string result(std::string_view id);

 private:
  struct Open {
    std::string asked, sent;
    bool answered = false;
  };
  std::vector<Open> open_;
  std::set<std::string, std::less<>> used_;
  std::size_t calls_ = 0;
};

/// `id` itself where it is fine; else its readable part and a hash of the whole.
[[nodiscard]] std::string clean_tool_id(std::string_view id);

}  // namespace tollgate::routing::anthropic
