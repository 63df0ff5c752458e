#include "policies/cache/recorder.hpp"

#include <utility>

namespace tollgate::cache {
namespace {

constexpr std::size_t head_most = 16;  // of a text in an archive

}  // namespace

void ReplyRecorder::take(const Batch& batch, bool relayed) {
  for (const StreamEvent& event : batch.events) {
    if (given_up_) return;
    std::visit([this](const auto& e) { on(e); }, event);
  }
  if (bytes_.size() + texts_.text.size() > bytes_max_) give_up();
  given_up_ || !relayed ? relay_.give_up() : relay_.take(batch);
}

std::string ReplyRecorder::finish(const ReplyFacts& facts, const std::string& extras) {
  flush();
  if (given_up_ || !ended_ || !finished_) return {};
  std::string out;
  write_facts(out, facts);
  out.append(bytes_).append(extras);
  if (usage_) write_event(out, *usage_);
  const std::string relayed = relay_.finish();
  if (!relayed.empty() && out.size() + relayed.size() + head_most <= bytes_max_) {
    write_relayed(out, relayed);
  }
  give_up();
  return out.size() > bytes_max_ ? std::string() : out;
}

void ReplyRecorder::on(const Started& e) {
  if (model_.empty()) model_ = e.model;
}

/// True when `delta` only lengthens the open event.
template <class Delta>
bool ReplyRecorder::goes_on(const Delta& delta) const {
  const auto* open = open_ ? std::get_if<Delta>(&*open_) : nullptr;
  return open != nullptr && open->choice == delta.choice && texts_.signature.empty() &&
         texts_.redacted.empty();
}

template <class Delta>
void ReplyRecorder::join(const Delta& delta) {
  if (!goes_on(delta)) open(Delta{delta.choice, {}});
  texts_.text += delta.text;
}

void ReplyRecorder::on(const ReasoningDelta& e) {
  if (!goes_on(e)) open(ReasoningDelta{e.choice, {}, {}, {}});
  texts_.text += e.text;
  texts_.signature = e.signature;
  texts_.redacted = e.redacted;
}

void ReplyRecorder::on(const ToolDelta& e) {
  const bool same =
      goes_on(e) && std::get<ToolDelta>(*open_).index == e.index && e.id.empty() && e.name.empty();
  if (!same) open(ToolDelta{e.choice, e.index, {}, {}, {}, {}});
  if (!same) texts_.id = e.id;
  if (!same) texts_.name = e.name;
  texts_.text += e.arguments;
  texts_.signature = e.signature;
}

void ReplyRecorder::on(const ExtraDelta& e) {
  if (e.name == "audio") return give_up();
  flush();
  write_event(bytes_, e);
}

void ReplyRecorder::on(const Finished& e) {
  if (e.reason == FinishReason::length || e.reason == FinishReason::content_filter) {
    return give_up();
  }
  finished_ = true;
  flush();
  write_event(bytes_, e);
}

void ReplyRecorder::open(StreamEvent event) {
  flush();
  open_ = std::move(event);
}

void ReplyRecorder::flush() {
  if (!open_) return;
  if (auto* text = std::get_if<TextDelta>(&*open_)) {
    text->text = texts_.text;
  } else if (auto* refusal = std::get_if<RefusalDelta>(&*open_)) {
    refusal->text = texts_.text;
  } else if (auto* thought = std::get_if<ReasoningDelta>(&*open_)) {
    thought->text = texts_.text;
    thought->signature = texts_.signature;
    thought->redacted = texts_.redacted;
  } else if (auto* tool = std::get_if<ToolDelta>(&*open_)) {
    tool->id = texts_.id;
    tool->name = texts_.name;
    tool->arguments = texts_.text;
    tool->signature = texts_.signature;
  }
  write_event(bytes_, *open_);
  open_.reset();
  texts_ = {};
}

void ReplyRecorder::give_up() {
  given_up_ = true;
  open_.reset();
  texts_ = {};
  bytes_ = {};
}

}  // namespace tollgate::cache
