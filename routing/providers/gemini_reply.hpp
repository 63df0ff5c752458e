// ReplyReader: GenerateContentResponse objects into events. A stream is a row of whole responses, a
// plain reply is one; what must be remembered between them (usage, calls, finish reasons) is here.
// Used by the chat decoder; pure, one reply each.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"
#include "gateway/wire/json_view.hpp"
#include "routing/provider.hpp"
#include "routing/providers/gemini_partial_args.hpp"

namespace tollgate::routing::gemini {

/// Google's counts as far as they were told; a count that a later response leaves out stands.
struct Counts {
  std::uint64_t prompt = 0, cached = 0, tool_prompt = 0, candidates = 0, thoughts = 0;
  std::uint64_t audio_prompt = 0, audio_candidates = 0, image_candidates = 0;
  std::uint32_t images = 0, searches = 0;  ///< seen in the candidates, not in the metadata
  bool search_per_prompt = false;          ///< however many queries: it is paid for once
  TierName tier;
  /// Takes over what `usageMetadata` names; true when it names anything.
  bool update(const wire::JsonView& metadata);
  /// In our terms: cached tokens are inside `prompt`, thoughts are outside `candidates`.
  [[nodiscard]] Usage usage() const;
};

/// `logprobsResult` in OpenAI's shape.
[[nodiscard]] std::string logprobs_json(const wire::JsonView& result);
/// Seconds since 1970 of "2026-08-19T14:38:12.6Z"; 0 for anything else.
[[nodiscard]] std::int64_t unix_seconds(std::string_view text);

class ReplyReader {
 public:
  explicit ReplyReader(const DecodeHints& hints) : hints_(hints) {}

  /// Appends the events of one response, whose text lives as long as `out`. Error: the model
  /// produced a broken call and nothing else (it may be tried again).
  Result<void> read(const wire::JsonView& response, Batch& out);
  /// The end of the reply: finish reasons, then Ended. `whole`: the reply was one JSON object, so
  /// that a missing finish reason is no cut. Error: stream_cut.
  Result<void> finish(bool whole, Batch& out);

 private:
  struct Choice {
    std::string finish;  ///< Google's word; empty: none yet
    bool saw_tool = false;
    std::uint32_t calls = 0, images = 0;
    std::optional<PartialArgs> open_call;
  };

  void start(const wire::JsonView& response, Batch& out);
  void read_candidate(const wire::JsonView& candidate, std::uint32_t index, Batch& out);
  void read_part(const wire::JsonView& part, std::uint32_t index, Choice& choice, Batch& out);
  void read_call(const wire::JsonView& part, std::uint32_t index, Choice& choice, Batch& out);
  void read_blob(const wire::JsonView& blob, std::uint32_t index, Choice& choice, Batch& out);
  void close_call(std::uint32_t index, Choice& choice, Batch& out);
  std::string call_id(const wire::JsonView& call, std::uint32_t index, std::uint32_t number);
  void content(StreamEvent event, Batch& out);

  DecodeHints hints_;
  bool started_ = false, content_ = false, blocked_ = false;
  std::string response_id_, broken_call_;
  Counts counts_;
  std::map<std::uint32_t, Choice> choices_;
  std::vector<std::string> ids_;
};

}  // namespace tollgate::routing::gemini
