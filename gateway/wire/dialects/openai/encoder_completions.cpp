// Chunks of /v1/completions: plain text, no roles, no calls. Relays never come here; the demo
// provider does.
#include <algorithm>
#include <vector>

#include "gateway/wire/dialects/openai/chunk_frame.hpp"
#include "gateway/wire/dialects/openai/chunks.hpp"
#include "gateway/wire/json_writer.hpp"
#include "gateway/wire/reply_extra.hpp"

namespace tollgate::wire::openai {
namespace {

class CompletionChunks final : public ChunkRenderer {
 public:
  explicit CompletionChunks(const ReplyContext& context) : frame_(context, "text_completion") {}

  void event(const StreamEvent& event, std::string& out) override {
    std::visit([&](const auto& e) { on(e, out); }, event);
  }
  void relayed() override {}

  void settle(std::string& out) override {
    for (Choice& choice : choices_) {
      if (choice.finish && !choice.finished) finish(choice, *choice.finish, out);
    }
  }
  void complete(std::string& out) override {
    if (choices_.empty()) choices_.push_back({});
    settle(out);
    for (Choice& choice : choices_) {
      if (!choice.finished) finish(choice, FinishReason::stop, out);
    }
  }
  void usage(std::string& out) override { frame_.usage(out, std::exchange(usage_, {})); }

 private:
  struct Choice {
    std::uint32_t index = 0;
    std::optional<FinishReason> finish{};
    bool finished = false;
  };

  void on(const Started& e, std::string&) { frame_.started(e); }
  void on(const TextDelta& e, std::string& out) {
    if (e.text.empty()) return;
    choice(e.choice);
    chunk(e.choice, e.text, "null", out);
    frame_.close(out);
  }
  void on(const Finished& e, std::string&) { choice(e.choice).finish = e.reason; }
  void on(const UsageEvent& e, std::string&) { usage_ = e; }
  void on(const Ended&, std::string& out) { settle(out); }
  void on(const ExtraDelta& e, std::string& out) {
    if (e.choice == of_reply) return frame_.member(e.name, e.json);
    if (e.choice == of_usage) return frame_.usage_member(e.name, e.json);
    choice(e.choice & ~of_choice);
    frame_.open(out, e.choice & ~of_choice);
    out += "\"text\":\"\",";
    if (e.name != "logprobs") out += "\"logprobs\":null,";
    append_quoted(out, e.name);
    out.append(":").append(e.json).append(",\"finish_reason\":null");
    frame_.close(out);
  }
  void on(const auto&, std::string&) {}  // text is all that this endpoint knows

  Choice& choice(std::uint32_t index) {
    const auto at = std::ranges::find(choices_, index, &Choice::index);
    return at == choices_.end() ? choices_.emplace_back(Choice{.index = index}) : *at;
  }

  void finish(Choice& choice, FinishReason reason, std::string& out) {
    choice.finished = true;
    chunk(choice.index, {}, "\"" + std::string(to_string(reason)) + "\"", out);
    frame_.close_last(out);
  }

  /// All but its end.
  void chunk(std::uint32_t index, std::string_view text, std::string_view finish,
             std::string& out) {
    frame_.open(out, index);
    out += "\"text\":";
    append_quoted(out, text);
    out.append(",\"logprobs\":null,\"finish_reason\":").append(finish);
  }

  ChunkFrame frame_;
  std::vector<Choice> choices_;
  std::optional<UsageEvent> usage_;
};

}  // namespace

std::unique_ptr<ChunkRenderer> completion_chunks(const ReplyContext& context) {
  return std::make_unique<CompletionChunks>(context);
}

}  // namespace tollgate::wire::openai
