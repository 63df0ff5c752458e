// The pieces that a Gemini request is put together from. One Draft per encode carries what they
// share; each piece is a function in a file of its own. Pure; one thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/core/chat.hpp"
#include "gateway/core/error.hpp"
#include "gateway/wire/json_writer.hpp"
#include "routing/providers/gemini_models.hpp"

namespace tollgate::routing::gemini {

/// The client's names of functions and Gemini's: letters, digits, `_.:-`, the first a letter or
/// `_`, at most 128.
class ToolNames {
 public:
  /// The name to send for `name`; the same each time, different for different names.
  std::string sent(std::string_view name);
  /// Names that were changed, as (sent, client's): the decoder turns them back.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> changed() const;

 private:
  std::vector<std::pair<std::string, std::string>> names_;  // (client's, sent)
};

struct Draft {
  const ChatRequest& request;
  const ModelTraits& traits;
  ToolNames names;
  std::vector<std::string> dropped;
  std::string out;
  wire::JsonWriter json{out};

  Draft(const ChatRequest& asked, const ModelTraits& model) : request(asked), traits(model) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  /// Notes that a request field is not sent; each name once.
  void drop(std::string_view name);
};

/// `systemInstruction` and `contents`.
Result<void> write_conversation(Draft& draft);
/// `tools` and `toolConfig`.
Result<void> write_tools(Draft& draft);
/// `generationConfig`.
Result<void> write_generation_config(Draft& draft);
/// The members of `thinkingConfig`'s parent: nothing, or `thinkingConfig`.
void write_thinking(Draft& draft);

/// "messages[3].content"
[[nodiscard]] std::string message_param(std::size_t index, std::string_view member);

}  // namespace tollgate::routing::gemini
