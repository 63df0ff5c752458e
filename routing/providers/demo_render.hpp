// The demo's answers as OpenAI-shaped bytes with their times. Used by the demo script; pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routing/providers/demo_answer.hpp"
#include "routing/providers/demo_script.hpp"

namespace tollgate::routing::demo {

/// What all chunks of one reply share.
struct ReplyFrame {
  std::string id, model;
  std::int64_t created = 0;
  bool chat = true;  ///< else text completions
  bool stream = false;
  bool include_usage = false;
  std::uint64_t prompt_tokens = 0;
};

[[nodiscard]] DemoScript render(const ReplyFrame& frame, const std::vector<Answer>& answers,
                                const Params& params);
[[nodiscard]] DemoScript render_embeddings(std::string_view model,
                                           const std::vector<std::string>& inputs,
                                           std::size_t dimensions, const Params& params);
/// A JSON error reply.
[[nodiscard]] DemoScript render_error(int status, std::string body, const Params& params);

}  // namespace tollgate::routing::demo
