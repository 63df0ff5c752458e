// OpenAI-shaped reply objects into events: stream chunks and whole replies of chat and completions.
// Holds what must be remembered between chunks. Fed by the openai decoder with checked JSON that
// lives in the batch; one for each reply.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/providers/openai_calls.hpp"
#include "routing/providers/openai_json.hpp"
#include "routing/providers/openai_usage.hpp"

namespace tollgate::routing::openai {

/// A reply object or a stream's chunk taken apart while it is checked, each member as its JSON
/// text; null counts as absent. One walk: large contents are not looked over once for every level.
struct ReplyText {
  struct Message {
    std::string_view content, refusal, calls, function, reasoning, reasoning_too, details;
    std::string_view annotations, audio, images;
  };
  struct Choice {
    std::string_view index, text, reason, logprobs, usage;
    std::optional<Message> message;
  };
  std::string_view id, model, created, usage, groq, tier;
  std::string_view error, kind;  ///< an error may stand where a reply was expected
  std::vector<Choice> choices;
  UsageText counts;  ///< of `usage`, where that is an object; else it says nothing

  /// `content_name` is `delta` or `message`: some send both. False: `json` is none.
  [[nodiscard]] bool read(std::string_view json, std::string_view content_name);
  /// Forgets all; the memory stays.
  void clear();
  /// One choice, and in it nothing but texts: no error, no calls, pictures or details.
  [[nodiscard]] bool says_only_text() const;
};

class ReplyReader {
 public:
  /// `raw`: a relay, where texts are only counted: they stay escaped, and a finish is told in the
  /// frame that holds it. Otherwise finishes are held to the end, since some providers send content
  /// after them or send them twice.
  /// `id_seed` stands in for a reply id where the provider sends none.
  ReplyReader(bool raw, std::string_view id_seed)
      : raw_(raw), id_seed_(raw ? std::string_view{} : id_seed) {}  // a relay makes no ids

  /// One stream chunk. Error: it says that the generation failed.
  Result<void> chunk(const ReplyText& reply, Batch& out);
  /// A whole reply. Error: it holds no choice, or a failure.
  Result<void> whole(const ReplyText& reply, Batch& out);
  /// The end: what was held goes out, a finish that was never named is inferred.
  void end(Batch& out);

  [[nodiscard]] bool any_choice() const { return !choices_.empty(); }
  [[nodiscard]] bool has_one_choice() const { return choices_.size() == 1; }
  /// The number of that one.
  [[nodiscard]] std::uint32_t only_choice() const { return choices_.front().index; }
  /// Every choice that was begun has named its finish.
  [[nodiscard]] bool all_finished() const;

 private:
  struct Choice {
    Choice(std::uint32_t choice, bool raw) : index(choice), calls(choice, raw) {}
    std::uint32_t index;
    ToolCalls calls;
    FragmentText text, reasoning, refusal;
    std::optional<FinishReason> finish;
    bool finish_told = false;
    bool legacy_call = false;
  };

  void start(const ReplyText& reply, Batch& out);
  Result<void> choice(const ReplyText::Choice& text, std::uint32_t position, Batch& out);
  Result<Choice*> find_choice(std::uint64_t index);
  Result<void> finish(Choice& choice, std::string_view reason, Batch& out);
  void message(Choice& choice, const ReplyText::Message& text, Batch& out);
  void content(Choice& choice, std::string_view value, Batch& out);
  void part(Choice& choice, std::string_view object, Batch& out);
  void reasoning(Choice& choice, std::string_view plain, std::string_view details, Batch& out);
  void text_delta(Choice& choice, std::string_view quoted, Batch& out);
  void reasoning_delta(Choice& choice, std::string_view quoted, Batch& out);
  void usage(std::optional<Usage> said, Batch& out);
  void tell_finish(Choice& choice, Batch& out);
  std::string_view fragment(FragmentText& text, std::string_view quoted, Batch& out) const;

  bool raw_;
  bool started_ = false;
  std::uint32_t images_ = 0;     // so far
  TierName tier_;                // that the reply named last
  std::string id_seed_;          // of the ids that we have to make
  std::vector<Choice> choices_;  // by index
};

}  // namespace tollgate::routing::openai
