#include "gateway/app/continuation.hpp"

#include <algorithm>

#include "gateway/wire/json_walk.hpp"
#include "gateway/wire/json_writer.hpp"
#include "routing/prefill.hpp"
#include "routing/providers/body_edit.hpp"

namespace tollgate::app {
namespace {

using wire::RequestView;

/// More is not kept: such a reply is not gone on with.
constexpr std::size_t text_bytes_max = 2U << 20U;
constexpr std::uint64_t bytes_of_usual_token = 4;
/// Fewer than models of any language take on average: a limit is better missed than passed.
constexpr std::uint64_t bytes_of_short_token = 3;

/// A member of the request, or its default; empty: neither.
std::string_view value_of(const RequestView& view, std::string_view name) {
  if (const wire::JsonField* field = view.shape.find(name)) return field->value;
  for (const RawField* field : view.missing_defaults()) {
    if (field->first == name && field->second != "null") return field->second;
  }
  return {};
}

bool is_plain_text(std::string_view response_format) {
  if (response_format.empty()) return true;
  const auto type = wire::json_member(response_format, "type");
  return type && wire::json_string(*type) == "text";
}

bool asks_to_reason(const RequestView& view) {
  return !value_of(view, "reasoning_effort").empty() || !value_of(view, "thinking").empty() ||
         !value_of(view, "reasoning").empty();
}

/// The client has begun the answer itself.
bool ends_with_assistant(std::string_view messages) {
  std::string_view last;
  for (wire::JsonElements elements(messages); elements.next();)
    last = elements.value();
  const auto role = wire::json_member(last, "role");
  return role && wire::json_string(*role) == "assistant";
}

std::string instruction(std::string_view text) {
  return "Your answer above was interrupted before its end. Go on with it: begin by repeating its "
         "last words, \"" +
         std::string(last_words(text)) +
         "\", exactly as they stand there, and continue from them as if there had been no break. "
         "Say nothing about the interruption.";
}

void append_message(std::string& json, std::string_view role, std::string_view content) {
  json += json.ends_with('[') ? "" : ",";
  wire::JsonWriter(json)
      .begin_object()
      .member("role", role)
      .member("content", content)
      .end_object();
}

/// The conversation with the answer so far, in which no model may be shown white space at the end.
std::string with_answer(std::string_view messages, std::string_view text, bool prefill) {
  constexpr std::string_view blank = " \t\r\n";
  std::string json(messages.substr(0, messages.rfind(']')));
  json.resize(json.find_last_not_of(blank) + 1);
  append_message(json, "assistant", text.substr(0, text.find_last_not_of(blank) + 1));
  if (!prefill) append_message(json, "user", instruction(text));
  return json + ']';
}

/// A chunk that the client gets as it came says why the reply ends: before its events do.
bool tells_finish(const Frame& frame) {
  constexpr std::string_view name = "\"finish_reason\"";
  const std::size_t at = frame.changed ? std::string_view::npos : frame.wire.find(name);
  if (at == std::string_view::npos) return false;
  const std::size_t value = frame.wire.find_first_not_of(" :\t", at + name.size());
  return value != std::string_view::npos && frame.wire[value] == '"';
}

Usage sum(Usage a, const Usage& b) {
  a.input += b.input;
  a.cache_read += b.cache_read;
  a.cache_write += b.cache_write;
  a.cache_write_1h += b.cache_write_1h;
  a.output += b.output;
  a.reasoning += b.reasoning;
  a.audio_input += b.audio_input;
  a.audio_output += b.audio_output;
  a.image_output += b.image_output;
  a.images += b.images;
  a.web_searches += b.web_searches;
  a.web_fetches += b.web_fetches;
  a.service_tier = b.service_tier;
  return a;
}

/// False: it is there already.
bool add_place(std::vector<std::pair<std::string, std::string>>& places,
               const routing::Target& target) {
  std::pair<std::string, std::string> place(target.provider->name, target.model);
  if (std::ranges::find(places, place) != places.end()) return false;
  places.push_back(std::move(place));
  return true;
}

}  // namespace

bool Continuation::suits(const RequestView& view) {
  if (view.endpoint != Endpoint::chat || !view.stream || view.n != 1) return false;
  return view.shape.find("messages") != nullptr && value_of(view, "logprobs") != "true" &&
         is_plain_text(value_of(view, "response_format"));
}

void Continuation::count(std::string_view text) {
  if (text.empty()) return;
  ++pieces_;
  bytes_ += text.size();
}

void Continuation::take(Batch& batch) {
  finished_ = finished_ || std::ranges::any_of(batch.frames, tells_finish);
  for (StreamEvent& event : batch.events) {
    begun_ = begun_ || is_content(event);
    if (auto* text = std::get_if<TextDelta>(&event)) {
      count(text->text);
      possible_ = possible_ && text->choice == 0 && text_.size() < text_bytes_max;
      if (possible_) text_ += text->text;
    } else if (const auto* thought = std::get_if<ReasoningDelta>(&event)) {
      count(thought->text);
    } else if (auto* usage = std::get_if<UsageEvent>(&event)) {
      usage_ = usage->usage;
      usage_seen_ = true;
      if (continued()) usage->usage = sum(usage_ended_, usage_);
    } else if (std::holds_alternative<Finished>(event)) {
      finished_ = true;
    } else if (is_content(event)) {
      possible_ = false;  // a call, a refusal, what is no text
    }
  }
}

std::uint64_t Continuation::tokens(std::uint64_t bytes_per_token) const {
  return std::max(pieces_, (bytes_ + bytes_per_token - 1) / bytes_per_token);
}

Usage Continuation::usage() const { return sum(usage_ended_, usage_seen_ ? usage_ : Usage{}); }

std::optional<std::uint64_t> Continuation::left(const RequestView& asked) const {
  const auto limit = asked.output_limit();
  if (!limit || *limit <= 0) return std::nullopt;
  const std::uint64_t used = std::max(tokens(bytes_of_short_token), usage_ended_.output);
  const auto all = static_cast<std::uint64_t>(*limit);
  return all > used ? all - used : 0;
}

/// A stream that dies has named its prompt at best; of the output it tells what came first: what
/// the attempts took together is an estimate from now on.
void Continuation::end_attempt(std::uint64_t prompt_tokens) {
  const std::uint64_t all = tokens(bytes_of_usual_token);
  exact_ = false;
  if (!usage_seen_) {
    usage_ = {};
    usage_.input = prompt_tokens;
  }
  usage_.output = std::max(usage_.output, all - tokens_ended_);
  usage_ended_ = sum(usage_ended_, usage_);
  tokens_ended_ = all;
  usage_ = {};
  usage_seen_ = false;
}

Result<RequestView*> Continuation::request_for(const RequestView& asked,
                                               const routing::Target& target) {
  const std::string_view messages = asked.shape.find("messages")->value;
  const bool prefill = routing::takes_prefill(target.provider->kind, target.model) &&
                       !asks_to_reason(asked) && !ends_with_assistant(messages);
  routing::BodyEdit edit(asked.body, asked.shape);
  if (!text_.empty()) edit.set("messages", with_answer(messages, text_, prefill));
  std::string body = edit.pieces().joined();
  view_.reset();
  body_ = std::move(body);
  auto view = asked.dialect->read(asked.endpoint, body_);
  if (!view) return std::unexpected(view.error());
  view_.emplace(std::move(*view));
  seam_.emplace(text_, prefill ? Seam::Start::behind : Seam::Start::with_last_words);
  provider_ = target.provider->name;
  return &*view_;
}

void Continuation::sew(Batch& batch) {
  std::vector<StreamEvent> events;
  events.swap(batch.events);
  batch.frames.clear();
  batch.begin_frame({});
  batch.frames.back().changed = true;
  for (const StreamEvent& event : events)
    sew(event, batch);
}

/// The client has a head and thoughts from the first provider.
void Continuation::sew(const StreamEvent& event, Batch& batch) {
  if (std::holds_alternative<Started>(event) || std::holds_alternative<ReasoningDelta>(event)) {
    return;
  }
  const bool went_on = !went_on_.empty() && went_on_.back() == provider_;
  if (is_content(event) && !went_on) went_on_.push_back(provider_);
  if (const auto* text = std::get_if<TextDelta>(&event); text != nullptr && text->choice == 0) {
    return show(seam_->feed(text->text), batch);
  }
  if (is_content(event)) show(seam_->finish(), batch);
  if (std::holds_alternative<Finished>(event)) push_notice(batch);
  batch.push(event);
}

void Continuation::show(std::string text, Batch& batch) {
  if (!text.empty()) batch.push(TextDelta{.text = batch.store(text)});
}

void Continuation::push_notice(Batch& batch) const {
  std::string json;
  wire::JsonWriter writer(json);
  writer.begin_object().member("continued", static_cast<std::uint64_t>(went_on_.size()));
  writer.key("providers").begin_array();
  for (const std::string_view provider : went_on_)
    writer.value(provider);
  writer.end_array().end_object();
  batch.push(ExtraDelta{.name = "x-tollgate", .json = batch.store(json)});
}

void Continuation::end_at_limit(Batch& batch) {
  batch.clear();
  batch.begin_frame({});
  batch.frames.back().changed = true;
  if (!went_on_.empty()) push_notice(batch);
  batch.push(Finished{.reason = FinishReason::length});
}

bool Continuation::first_time(const routing::Target& target) { return add_place(tried_, target); }
bool Continuation::once_more(const routing::Target& target) { return add_place(repeated_, target); }

Error Continuation::remember(Error why) {
  if (!last_ || why.origin == Origin::upstream || why.retry == Retry::never) {
    last_ = std::move(why);
  }
  return *last_;
}

}  // namespace tollgate::app
