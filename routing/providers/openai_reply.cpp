#include "routing/providers/openai_reply.hpp"

#include <algorithm>
#include <array>

#include "gateway/wire/json_walk.hpp"

namespace tollgate::routing::openai {
namespace {

struct ReasonName {
  std::string_view name;
  FinishReason reason;
};
/// Every spelling seen at compatible providers; what is not here counts as `stop`.
constexpr std::array reason_names{
    ReasonName{"stop", FinishReason::stop},
    ReasonName{"length", FinishReason::length},
    ReasonName{"max_tokens", FinishReason::length},
    ReasonName{"model_length", FinishReason::length},
    ReasonName{"tool_calls", FinishReason::tool_calls},
    ReasonName{"tool_call", FinishReason::tool_calls},
    ReasonName{"tool_use", FinishReason::tool_calls},
    ReasonName{"function_call", FinishReason::function_call},
    ReasonName{"content_filter", FinishReason::content_filter},
    ReasonName{"safety", FinishReason::content_filter},
};

/// Reasons that mean: the generation broke down.
constexpr std::array<std::string_view, 2> failures{"error", "insufficient_system_resource"};

FinishReason reason_of(std::string_view name) {
  for (const ReasonName& row : reason_names) {
    if (row.name == name) return row.reason;
  }
  return FinishReason::stop;
}

using Message = ReplyText::Message;
constexpr std::array message_parts{
    Part<Message>{"content", &Message::content},
    Part<Message>{"refusal", &Message::refusal},
    Part<Message>{"tool_calls", &Message::calls},
    Part<Message>{"function_call", &Message::function},
    Part<Message>{"reasoning_content", &Message::reasoning},
    Part<Message>{"reasoning", &Message::reasoning_too},
    Part<Message>{"reasoning_details", &Message::details},
    Part<Message>{"annotations", &Message::annotations},
    Part<Message>{"audio", &Message::audio},
    Part<Message>{"images", &Message::images},
};

using ChoiceText = ReplyText::Choice;
constexpr std::array choice_parts{
    Part<ChoiceText>{"index", &ChoiceText::index},
    Part<ChoiceText>{"text", &ChoiceText::text},
    Part<ChoiceText>{"finish_reason", &ChoiceText::reason},
    Part<ChoiceText>{"logprobs", &ChoiceText::logprobs},
    Part<ChoiceText>{"usage", &ChoiceText::usage},
};

constexpr std::array reply_parts{
    Part<ReplyText>{"id", &ReplyText::id},
    Part<ReplyText>{"model", &ReplyText::model},
    Part<ReplyText>{"created", &ReplyText::created},
    Part<ReplyText>{"usage", &ReplyText::usage},
    Part<ReplyText>{"object", &ReplyText::kind},
    Part<ReplyText>{"error", &ReplyText::error},
    Part<ReplyText>{"x_groq", &ReplyText::groq},
    Part<ReplyText>{"service_tier", &ReplyText::tier},
};

/// Takes a reply apart. Each function leaves the cursor behind its object or array.
class Taker {
 public:
  Taker(wire::JsonScanner& scan, std::string_view content_name)
      : scan_(scan), content_name_(content_name) {}

  bool reply(ReplyText& out) {
    return wire::scan_object(scan_, [&](std::string_view name) {
      if (name == "choices" && scan_.stands_at('[')) return choices(out.choices);
      if (name == "usage" && scan_.stands_at('{')) return usage(out);
      return take(scan_, name, reply_parts, out);
    });
  }

 private:
  bool usage(ReplyText& out) {
    const std::size_t begin = scan_.at();
    const bool taken = out.counts.take(scan_);
    out.usage = scan_.since(begin);
    return taken;
  }
  bool choices(std::vector<ChoiceText>& out) {
    out.clear();
    return wire::scan_array(scan_, [&] {
      ChoiceText& choice = out.emplace_back();
      return scan_.stands_at('{') ? this->choice(choice) : scan_.value();
    });
  }
  bool choice(ChoiceText& out) {
    return wire::scan_object(scan_, [&](std::string_view name) {
      const bool content = name == content_name_ && scan_.stands_at('{');
      return content ? message(out.message.emplace()) : take(scan_, name, choice_parts, out);
    });
  }
  bool message(Message& out) {
    return wire::scan_object(
        scan_, [&](std::string_view name) { return take(scan_, name, message_parts, out); });
  }

  wire::JsonScanner& scan_;
  std::string_view content_name_;
};

}  // namespace

bool ReplyText::read(std::string_view json, std::string_view content_name) {
  wire::JsonScanner scan(json, depth_max);
  scan.space();
  const bool taken = scan.stands_at('{') ? Taker(scan, content_name).reply(*this) : scan.value();
  scan.space();
  return taken && scan.at_end();
}

void ReplyText::clear() {
  choices.clear();
  id = model = created = usage = groq = tier = error = kind = {};
}

bool ReplyText::says_only_text() const {
  if (choices.size() != 1 || !error.empty() || kind == "\"error\"") return false;
  const std::optional<Message>& message = choices.front().message;
  return !message ||
         (message->calls.empty() && message->function.empty() && message->reasoning.empty() &&
          message->reasoning_too.empty() && message->details.empty() && message->images.empty());
}

bool ReplyReader::all_finished() const {
  return !choices_.empty() &&
         std::ranges::all_of(choices_, [](const Choice& choice) { return bool(choice.finish); });
}

Result<void> ReplyReader::chunk(const ReplyText& reply, Batch& out) {
  if (!started_) start(reply, out);
  if (is_string(reply.tier)) tier_ = TierName(text(reply.tier));
  std::uint32_t position = 0;
  for (const ReplyText::Choice& text : reply.choices) {
    auto done = choice(text, position++, out);
    if (!done) return done;
  }
  if (reply.usage.starts_with('{')) {
    usage(read_usage(reply.counts), out);
  } else if (reply.usage.empty() && !reply.groq.empty()) {
    std::string_view groq_usage;
    pick(reply.groq, {{"usage", groq_usage}});
    usage(read_usage(groq_usage), out);
  }
  return {};
}

Result<void> ReplyReader::whole(const ReplyText& reply, Batch& out) {
  auto done = chunk(reply, out);
  if (done && choices_.empty()) {
    return fail(ErrorKind::upstream_error, "the provider's reply holds no choice");
  }
  return done;
}

/// Azure's first chunk has neither id nor choice: the reply begins with the one after it.
void ReplyReader::start(const ReplyText& reply, Batch& out) {
  const std::string_view id = text_in(reply.id, out);
  if (id.empty() && reply.choices.empty()) return;
  started_ = true;
  // A relay makes no ids.
  if (!id.empty() && !raw_) id_seed_ = id;
  out.push(Started{id, text_in(reply.model, out),
                   static_cast<std::int64_t>(count(reply.created).value_or(0))});
}

void ReplyReader::usage(std::optional<Usage> said, Batch& out) {
  if (!said) return;
  said->images = images_;
  said->service_tier = tier_;
  out.push(UsageEvent{*said});
}

Result<ReplyReader::Choice*> ReplyReader::find_choice(std::uint64_t index) {
  constexpr std::uint64_t most = 1024;
  if (index >= most) return fail(ErrorKind::upstream_error, "the provider sent too many choices");
  const auto number = static_cast<std::uint32_t>(index);
  auto place = std::ranges::lower_bound(choices_, number, {}, &Choice::index);
  if (place == choices_.end() || place->index != number) {
    place = choices_.emplace(place, number, raw_);
  }
  return &*place;
}

Result<void> ReplyReader::choice(const ReplyText::Choice& text, std::uint32_t position,
                                 Batch& out) {
  auto found = find_choice(count(text.index).value_or(position));
  if (!found) return std::unexpected(found.error());
  Choice& choice = **found;
  if (text.message) message(choice, *text.message, out);
  // Some repeat the delta's content as `text`; only completions have nothing else.
  if (!text.message && is_string(text.text)) text_delta(choice, text.text, out);
  if (!says_nothing(text.logprobs)) out.push(ExtraDelta{choice.index, "logprobs", text.logprobs});
  if (!text.usage.empty()) usage(read_usage(text.usage), out);
  return finish(choice, text.reason, out);
}

Result<void> ReplyReader::finish(Choice& choice, std::string_view reason, Batch& out) {
  if (!is_string(reason) || choice.finish) return {};
  const std::string_view name = text_in(reason, out);
  if (name.empty()) return {};
  for (std::string_view failure : failures) {
    if (name == failure) {
      return fail(ErrorKind::upstream_error,
                  "the provider broke off the generation: " + std::string(failure));
    }
  }
  choice.finish = reason_of(name);
  if (raw_) tell_finish(choice, out);
  return {};
}

void ReplyReader::tell_finish(Choice& choice, Batch& out) {
  if (choice.finish_told) return;
  choice.finish_told = true;
  const FinishReason inferred = choice.legacy_call   ? FinishReason::function_call
                                : choice.calls.any() ? FinishReason::tool_calls
                                                     : FinishReason::stop;
  const FinishReason reason = choice.finish.value_or(inferred);
  choice.calls.finish(reason == FinishReason::length, id_seed_, out);
  out.push(Finished{choice.index, reason});
}

void ReplyReader::end(Batch& out) {
  for (Choice& choice : choices_)
    tell_finish(choice, out);
  out.push(Ended{});
}

std::string_view ReplyReader::fragment(FragmentText& text, std::string_view quoted,
                                       Batch& out) const {
  if (!is_string(quoted)) return {};
  return raw_ ? quoted.substr(1, quoted.size() - 2) : text.take(quoted, out);
}

void ReplyReader::text_delta(Choice& choice, std::string_view quoted, Batch& out) {
  const std::string_view piece = fragment(choice.text, quoted, out);
  if (!piece.empty()) out.push(TextDelta{choice.index, piece});
}

void ReplyReader::reasoning_delta(Choice& choice, std::string_view quoted, Batch& out) {
  const std::string_view piece = fragment(choice.reasoning, quoted, out);
  if (!piece.empty()) out.push(ReasoningDelta{choice.index, piece, {}, {}});
}

void ReplyReader::message(Choice& choice, const ReplyText::Message& text, Batch& out) {
  reasoning(choice, says_nothing(text.reasoning) ? text.reasoning_too : text.reasoning,
            text.details, out);
  content(choice, text.content, out);
  const std::string_view refused = fragment(choice.refusal, text.refusal, out);
  if (!refused.empty()) out.push(RefusalDelta{choice.index, refused});
  for (wire::JsonElements items(text.calls); items.next();)
    choice.calls.take(items.value(), id_seed_, out);
  if (text.function.starts_with('{')) {
    choice.legacy_call = true;
    choice.calls.take_function(text.function, id_seed_, out);
  }
  for (wire::JsonElements images(text.images); images.next();)
    ++images_;
  const std::array<ExtraDelta, 3> extras{ExtraDelta{choice.index, "annotations", text.annotations},
                                         ExtraDelta{choice.index, "audio", text.audio},
                                         ExtraDelta{choice.index, "images", text.images}};
  for (const ExtraDelta& extra : extras) {
    if (!says_nothing(extra.json)) out.push(extra);
  }
}

/// Content is a string, or a list of parts where thoughts and text stand side by side.
void ReplyReader::content(Choice& choice, std::string_view value, Batch& out) {
  if (is_string(value)) return text_delta(choice, value, out);
  for (wire::JsonElements parts(value); parts.next();)
    part(choice, parts.value(), out);
}

void ReplyReader::part(Choice& choice, std::string_view object, Batch& out) {
  std::string_view plain, thinking;
  pick(object, {{"text", plain}, {"thinking", thinking}});
  if (is_string(plain)) text_delta(choice, plain, out);
  if (is_string(thinking)) reasoning_delta(choice, thinking, out);
  for (wire::JsonElements thoughts(thinking); thoughts.next();) {
    std::string_view thought;
    pick(thoughts.value(), {{"text", thought}});
    reasoning_delta(choice, thought, out);
  }
}

/// The same thoughts may come as a plain string and again as details: the text is read once, the
/// signatures only the details have.
void ReplyReader::reasoning(Choice& choice, std::string_view plain, std::string_view details,
                            Batch& out) {
  const bool have_plain = is_string(plain) && !says_nothing(plain);
  if (have_plain) reasoning_delta(choice, plain, out);
  for (wire::JsonElements items(details); items.next();) {
    std::string_view written, summary, signature, data;
    pick(items.value(),
         {{"text", written}, {"summary", summary}, {"signature", signature}, {"data", data}});
    if (!have_plain) reasoning_delta(choice, written.empty() ? summary : written, out);
    if (says_nothing(signature) && says_nothing(data)) continue;
    out.push(ReasoningDelta{choice.index, {}, out.store(text(signature)), out.store(text(data))});
  }
}

}  // namespace tollgate::routing::openai
