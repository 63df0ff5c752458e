// The `usage` object of OpenAI-shaped replies, with the places where its dialects keep the counts
// of cached tokens. Taken while the reply is checked, so that no text is looked over twice. Called
// by the openai decoder. Pure; views point into the reply.
#pragma once
#include <optional>
#include <string_view>

#include "gateway/core/event.hpp"
#include "gateway/wire/json_scan.hpp"

namespace tollgate::routing::openai {

/// The members that are read, each as its JSON text; null counts as absent.
struct UsageText {
  struct Prompt {
    std::string_view cached, written, audio;
  };
  struct Completion {
    std::string_view reasoning, audio, pictures;
  };
  struct Tools {
    std::string_view searches;
  };
  std::string_view prompt, completion, total;
  std::string_view deepseek_hit, mistral_cached, together_cached, reasoning, queries, sources;
  Prompt of_prompt;
  Completion of_completion;
  Tools tools;

  /// Takes the object at the cursor; what was here is forgotten. False: it is no JSON.
  [[nodiscard]] bool take(wire::JsonScanner& scan);
};

/// Nothing when the object has no total, prompt or completion count (an empty or all-null one).
[[nodiscard]] std::optional<Usage> read_usage(const UsageText& text);
/// The same from the object's JSON, which was checked; what is no object has none.
[[nodiscard]] std::optional<Usage> read_usage(std::string_view json);

}  // namespace tollgate::routing::openai
