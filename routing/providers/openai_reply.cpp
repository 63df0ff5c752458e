#include "routing/providers/openai_reply.hpp"

#include <algorithm>
#include <array>

#include "gateway/wire/json_walk.hpp"
#include "routing/providers/openai_usage.hpp"

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

}  // namespace

bool ReplyTop::read(std::string_view text) {
  return pick_checked(text, {{"id", id},
                             {"model", model},
                             {"created", created},
                             {"choices", choices},
                             {"usage", usage},
                             {"object", kind},
                             {"error", error},
                             {"x_groq", groq}});
}

bool ReplyReader::all_finished() const {
  return !choices_.empty() &&
         std::ranges::all_of(choices_, [](const Choice& choice) { return bool(choice.finish); });
}

Result<void> ReplyReader::chunk(const ReplyTop& top, Batch& out) { return read(top, "delta", out); }

Result<void> ReplyReader::whole(const ReplyTop& top, Batch& out) {
  auto done = read(top, "message", out);
  if (done && choices_.empty()) {
    return fail(ErrorKind::upstream_error, "the provider's reply holds no choice");
  }
  return done;
}

Result<void> ReplyReader::read(const ReplyTop& top, std::string_view content_name, Batch& out) {
  if (!started_) start(top, out);
  std::uint32_t position = 0;
  for (wire::JsonElements items(top.choices); items.next(); ++position) {
    auto done = choice(items.value(), content_name, position, out);
    if (!done) return done;
  }
  std::string_view groq_usage;
  if (!top.groq.empty()) pick(top.groq, {{"usage", groq_usage}});
  usage(top.usage.empty() ? groq_usage : top.usage, out);
  return {};
}

/// Azure's first chunk has neither id nor choice: the reply begins with the one after it.
void ReplyReader::start(const ReplyTop& top, Batch& out) {
  const std::string_view id = text_in(top.id, out);
  if (id.empty() && says_nothing(top.choices)) return;
  started_ = true;
  // A relay makes no ids.
  if (!id.empty() && !raw_) id_seed_ = id;
  out.push(Started{id, text_in(top.model, out),
                   static_cast<std::int64_t>(count(top.created).value_or(0))});
}

void ReplyReader::usage(std::string_view object, Batch& out) {
  if (object.empty()) return;
  if (const auto usage = read_usage(object)) out.push(UsageEvent{*usage});
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

Result<void> ReplyReader::choice(std::string_view object, std::string_view content_name,
                                 std::uint32_t position, Batch& out) {
  std::string_view index, delta, plain, reason, logprobs, usage_inside;
  pick(object, {{"index", index},
                {content_name, delta},
                {"text", plain},
                {"finish_reason", reason},
                {"logprobs", logprobs},
                {"usage", usage_inside}});
  auto found = find_choice(count(index).value_or(position));
  if (!found) return std::unexpected(found.error());
  Choice& choice = **found;
  message(choice, delta, out);
  // Some repeat the delta's content as `text`; only completions have nothing else.
  if (delta.empty() && is_string(plain)) text_delta(choice, plain, out);
  if (!says_nothing(logprobs)) out.push(ExtraDelta{choice.index, "logprobs", logprobs});
  usage(usage_inside, out);
  return finish(choice, reason, out);
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

/// A `delta` or a `message`.
void ReplyReader::message(Choice& choice, std::string_view delta, Batch& out) {
  if (delta.empty()) return;
  std::string_view said, refusal, calls, function, plain, plain_too, details;
  std::string_view annotations, audio, images;
  pick(delta, {{"content", said},
               {"refusal", refusal},
               {"tool_calls", calls},
               {"function_call", function},
               {"reasoning_content", plain},
               {"reasoning", plain_too},
               {"reasoning_details", details},
               {"annotations", annotations},
               {"audio", audio},
               {"images", images}});
  reasoning(choice, says_nothing(plain) ? plain_too : plain, details, out);
  content(choice, said, out);
  const std::string_view refused = fragment(choice.refusal, refusal, out);
  if (!refused.empty()) out.push(RefusalDelta{choice.index, refused});
  for (wire::JsonElements items(calls); items.next();)
    choice.calls.take(items.value(), id_seed_, out);
  if (function.starts_with('{')) {
    choice.legacy_call = true;
    choice.calls.take_function(function, id_seed_, out);
  }
  const std::array<ExtraDelta, 3> extras{ExtraDelta{choice.index, "annotations", annotations},
                                         ExtraDelta{choice.index, "audio", audio},
                                         ExtraDelta{choice.index, "images", images}};
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
