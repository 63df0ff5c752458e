#include "routing/forwarder.hpp"

#include <algorithm>
#include <utility>

#include "routing/waiting.hpp"

namespace tollgate::routing {
namespace {

bool has_content(const Batch& batch) { return std::ranges::any_of(batch.events, is_content); }

/// Of what a model made, seen or not; in a relay the escaped bytes, which are never fewer.
std::size_t text_in(const StreamEvent& event) {
  if (const auto* text = std::get_if<TextDelta>(&event)) return text->text.size();
  if (const auto* tool = std::get_if<ToolDelta>(&event)) {
    return tool->name.size() + tool->arguments.size();
  }
  if (const auto* thought = std::get_if<ReasoningDelta>(&event)) {
    return thought->text.size() + thought->redacted.size();
  }
  if (const auto* refusal = std::get_if<RefusalDelta>(&event)) return refusal->text.size();
  if (const auto* extra = std::get_if<ExtraDelta>(&event)) return extra->json.size();
  return 0;
}

/// The provider's own error status, read to its end; one that comes inside a 200 is a death.
bool was_refused(const Error* error, int status) {
  return error != nullptr && status >= 300 && error->upstream_status == status;
}

CallStatus status_for(const Error& error) {
  if (error.kind == ErrorKind::client_gone) return CallStatus::client_abort;
  if (error.kind == ErrorKind::draining) return CallStatus::cancelled;
  return CallStatus::error;
}

}  // namespace

Forwarder::Forwarder(Call& call, ForwardPlan plan, Upstream& upstream, AttemptGate& gate)
    : call_(call),
      plan_(std::move(plan)),
      slot_(plan_.slot != nullptr ? *plan_.slot : call.abort),
      upstream_(upstream),
      gate_(gate),
      turns_(std::move(plan_.targets), plan_.retry, call.outcome.request_id) {}

Forwarder::~Forwarder() { close(); }

void Forwarder::close() noexcept {
  if (!attempt_ && !watch_.holds()) return;
  end_attempt(slot_.aborted() ? &slot_.reason() : nullptr);
}

void Forwarder::release_request() {
  if (content_out_) encoded_.request = {};
}

Awaitable<Result<Step>> Forwarder::next(Batch& out, SteadyTime until) {
  return content_out_ && attempt_ ? go_on(out, until) : begin(out, until);
}

/// Once content is out, as in most steps of a stream: there is no way back.
Awaitable<Result<Step>> Forwarder::go_on(Batch& out, SteadyTime until) {
  call_.look();
  out.clear();
  do {
    Waiting waiting(call_);
    const auto step = digest(co_await reply_->read(wait_until(until)), waiting, out);
    if (!step) {
      end_attempt(&step.error());
      fail_over(step.error(), Phase::shown, true);
      co_return std::unexpected(*last_error_);
    }
    if (*step == Step::timeout) co_return step;
  } while (out.frames.empty() && !ended_);
  co_return out.frames.empty() ? Step::end : Step::batch;
}

Awaitable<Result<Step>> Forwarder::begin(Batch& out, SteadyTime until) {
  if (ended_) co_return Step::end;  // what the last batch points to stays
  call_.look();
  out.clear();
  for (;;) {
    Result<Step> step = Step::batch;
    if (!attempt_) {
      step = co_await begin_attempt(until);
      if (!step || *step == Step::timeout) co_return step;
    }
    step = co_await advance(out, until);
    if (step) co_return *step;
    const Phase reached = phase();
    end_attempt(&step.error());
    if (!fail_over(std::move(step.error()), reached, true)) co_return std::unexpected(*last_error_);
    out.clear();
    held_.clear();
  }
}

Phase Forwarder::phase() const {
  if (content_out_) return Phase::shown;
  if (decoder_) return Phase::replying;
  return reply_ ? Phase::waiting : Phase::connecting;
}

/// A repeat waits until its key has rested, and for no broken target.
SteadyTime Forwarder::rests_until(std::size_t index, SteadyTime now) const {
  const Target& target = turns_.target(index);
  const Availability rest =
      target.health ? target.health->with_key(target.key, now) : Availability{};
  return rest.rest == Rest::limited ? rest.until : SteadyTime{};
}

/// Whose turn it is now; false: nobody's, or not within the call's time.
bool Forwarder::choose() {
  // The first turn needs no clock.
  const SteadyTime now = last_error_ ? std::chrono::steady_clock::now() : SteadyTime{};
  turn_ = begun_ < plan_.retry.attempts ? turns_.next(now) : std::nullopt;
  if (!turn_ && turns_.over_budget() && last_error_) {
    if (!last_error_->detail.empty()) last_error_->detail += "; ";
    last_error_->detail += "not repeated: the target's retry budget is used up";
  }
  if (!turn_) return false;
  if (turn_->repeat) turn_->at = std::max(turn_->at, rests_until(turn_->target, now));
  if (plan_.elsewhere && turn_->at - now > plan_.retry.cap) turn_.reset();
  return turn_ && (!last_error_ || std::max(turn_->at, now) < call_.deadline);
}

/// After a failed attempt, or one that could not begin: true where another may follow.
bool Forwarder::fail_over(Error error, Phase phase, bool begun) {
  const bool final = error.retry == Retry::never || phase == Phase::shown;
  turns_.failed(turn_->target, {error, phase, begun}, std::chrono::steady_clock::now());
  remember(std::move(error));
  if (held_back_) turn_.reset();
  return !held_back_ && !final && !call_.deserted && !slot_.aborted() && choose();
}

const Target& Forwarder::lend() {
  lent_ = *turns_.other_than(turn_->target);
  turns_.take(lent_);
  return turns_.target(lent_);
}

void Forwarder::lent_failed(const Error& error, bool begun) {
  turns_.failed(lent_, {error, Phase::waiting, begun}, std::chrono::steady_clock::now());
}

/// What a provider said is worth more to the client than why the target after it could not be
/// asked.
void Forwarder::remember(Error error) {
  const bool keep = last_error_ && last_error_->origin == Origin::upstream &&
                    error.origin != Origin::upstream && error.retry != Retry::never;
  if (!keep) last_error_ = std::move(error);
}

/// Begins on the next target that lets itself be begun: `batch`; or `timeout`.
Awaitable<Result<Step>> Forwarder::begin_attempt(SteadyTime until) {
  for (;;) {
    if (slot_.aborted()) co_return std::unexpected(slot_.reason());
    if (!turn_ && !choose()) co_return std::unexpected(why_none());
    if (turn_->repeat) {
      auto rested = co_await rest(until);
      if (!rested || *rested == Step::timeout) co_return rested;
    }
    auto sent = co_await send(turns_.target(turn_->target));
    if (sent) co_return Step::batch;
    const bool begun = attempt_.has_value();
    end_attempt(&sent.error());
    if (!fail_over(std::move(sent.error()), Phase::connecting, begun)) {
      co_return std::unexpected(*last_error_);
    }
  }
}

/// Lets the time until the turn pass.
Awaitable<Result<Step>> Forwarder::rest(SteadyTime until) {
  call_.look();
  const Waiting waiting(call_);
  call_.resting = true;
  auto rested = co_await upstream_.pause(std::min(turn_->at, until), slot_);
  call_.resting = false;
  if (!rested) co_return std::unexpected(rested.error());
  co_return until < turn_->at ? Step::timeout : Step::batch;
}

Error Forwarder::why_none() const {
  if (last_error_) return *last_error_;
  return resting_error({}, SteadyTime{});
}

Result<AttemptTarget> Forwarder::preview() {
  while (turn_ || choose()) {
    const Target& target = turns_.target(turn_->target);
    auto encoded = encode(target);
    if (encoded) {
      previewed_ = true;
      return target_of(target);
    }
    if (!fail_over(std::move(encoded.error()), Phase::connecting, false)) break;
  }
  return std::unexpected(why_none());
}

AttemptTarget Forwarder::target_of(const Target& target) const {
  const ProviderEntry& provider = *target.provider;
  return {.provider = provider.name,
          .provider_kind = provider.kind,
          .upstream_model = target.model,
          .host = provider.address.host,
          .own_host = provider.own_host,
          .body_bytes = encoded_.request.body.size()};
}

Result<void> Forwarder::encode(const Target& target) {
  const ProviderEntry& provider = *target.provider;
  if (!provider.codec->supports(plan_.view.endpoint)) {
    return fail(ErrorKind::unsupported_endpoint, "The provider of this model does not offer " +
                                                     std::string(to_string(plan_.view.endpoint)) +
                                                     ".");
  }
  if (!encoded_.request.target.empty()) encoded_ = {};
  gate_.prepare(call_, target_of(target));
  const EncodeContext context{.api_key = key_for(target),
                              .request_id = call_.outcome.request_id,
                              .now = call_.seen_at(),
                              .refuse_unsupported = plan_.refuse_unsupported};
  auto encoded = provider.codec->encode(plan_.view, target, context);
  if (!encoded) return std::unexpected(encoded.error());
  encoded_ = std::move(*encoded);
  encoded_.hints.full_events = plan_.full_events;
  HeaderFields& headers = encoded_.request.headers;
  for (const auto& [name, value] : provider.headers)
    headers.add(name, value);
  headers.add("x-request-id", call_.outcome.request_id);
  return {};
}

Awaitable<Result<void>> Forwarder::send(const Target& target) {
  const ProviderEntry& provider = *target.provider;
  current_ = &target;
  if (!std::exchange(previewed_, false)) {
    auto encoded = encode(target);
    if (!encoded) co_return encoded;
  }
  auto healthy = watch_.enter(target, plan_.tokens, call_.seen);
  if (!healthy) co_return healthy;
  auto attempt = co_await gate_.begin(call_, target_of(*current_));
  if (!attempt) co_return std::unexpected(attempt.error());
  attempt_.emplace(std::move(*attempt));
  ++begun_;
  usage_ = {};
  usage_seen_ = false;
  complete_ = finished_ = false;
  reply_bytes_ = text_bytes_ = 0;
  reply_model_.clear();
  sent_at_ = call_.look();
  if (target.repeats != nullptr && !turn_->repeat) target.repeats->note(sent_at_);
  Waiting waiting(call_);
  auto reply = co_await upstream_.send(
      {provider, encoded_.request, plan_.view.stream, call_.deadline, slot_});
  if (!reply) co_return std::unexpected(reply.error());
  reply_ = std::move(*reply);
  waiting.end(reply_->times());
  co_return Result<void>{};
}

/// The attempt in flight up to its first content: what the run may see of it.
Awaitable<Result<Step>> Forwarder::advance(Batch& out, SteadyTime until) {
  if (!decoder_) {
    Waiting waiting(call_);
    auto ready = co_await reply_->await_head(until);
    if (!ready) co_return std::unexpected(ready.error());
    waiting.end(reply_->times());
    if (!*ready) co_return Step::timeout;
    watch_.head(reply_->head().headers, call_.seen);
    decoder_ = current_->provider->codec->decoder(reply_->head(), encoded_.hints);
    // A stream brings them one by one.
    if (plan_.view.stream && held_.events.empty()) held_.events.reserve(2);
  }
  for (;;) {
    Waiting waiting(call_);
    const auto step = digest(co_await reply_->read(wait_until(until)), waiting, held_);
    if (!step || *step == Step::timeout) co_return step;
    // A reply that is no stream is only shown whole: a cut one is an invisible retry.
    if (ended_ || (plan_.view.stream && has_content(held_))) break;
  }
  std::swap(out, held_);  // it was cleared
  content_out_ = true;
  watch_.content(call_.seen);
  co_return out.frames.empty() ? Step::end : Step::batch;
}

/// A reply that has said its last word is complete whatever happens to its connection; only a
/// moment is given to the end of its framing, for the connection's next use.
SteadyTime Forwarder::wait_until(SteadyTime until) const {
  constexpr auto framing_grace = std::chrono::milliseconds(250);
  return complete_ ? call_.seen + framing_grace : until;
}

/// Decodes what one read brought. `end`: the attempt is over.
Result<Step> Forwarder::digest(Result<ReadStep> read, Waiting& waiting, Batch& into) {
  using What = ReadStep::What;
  read ? waiting.end(reply_->times()) : waiting.end();
  if (complete_ && (!read || read->what != What::bytes)) read = ReadStep{};
  if (!read) return std::unexpected(std::move(read.error()));
  if (read->what == What::timeout) return Step::timeout;
  auto taken = take(*read, into);
  const bool last = read->what == What::bytes && !plan_.view.stream && reply_->ended();
  if (taken && last) taken = decoder_->finish(into);
  if (!taken) return std::unexpected(std::move(taken.error()));
  note(into);
  if (read->what == What::bytes && !last) return Step::batch;
  ended_ = true;
  end_attempt(nullptr);
  return Step::end;
}

Result<void> Forwarder::take(const ReadStep& step, Batch& into) {
  if (step.what == ReadStep::What::end) return decoder_->finish(into);
  reply_bytes_ += step.bytes.size();
  const bool collected = !plan_.view.stream || reply_->head().status >= 300;
  if (collected && reply_bytes_ > plan_.reply_bytes_max) {
    return fail(ErrorKind::upstream_error, "The provider's reply is too large.");
  }
  return decoder_->feed(step.block, step.bytes, into);
}

void Forwarder::note(const Batch& batch) {
  for (const StreamEvent& event : batch.events) {
    if (const auto* usage = std::get_if<UsageEvent>(&event)) {
      usage_ = usage->usage;
      usage_seen_ = true;
      text_bytes_counted_ = text_bytes_;
      if (!finished_) usage_at_ = call_.seen;
    } else if (const auto* started = std::get_if<Started>(&event)) {
      if (reply_model_.empty()) reply_model_ = started->model;
    } else {
      text_bytes_ += text_in(event);
      finished_ = finished_ || std::holds_alternative<Finished>(event);
    }
    complete_ = complete_ || std::holds_alternative<Ended>(event);
  }
}

void Forwarder::end_attempt(const Error* error) noexcept {
  if (!ended_) call_.look();  // from outside, perhaps, or after a wait that broke off
  watch_.end(error, ended_, usage_seen_ ? &usage_ : nullptr, call_.seen);
  if (attempt_) {
    AttemptEnd how;
    how.http_status = reply_ && decoder_ ? reply_->head().status : 0;
    how.usage = usage_;
    how.usage_from_provider = usage_seen_ && (finished_ || complete_ || ended_);
    // Some servers send zeros until they have counted.
    how.usage_so_far = usage_seen_ && !how.usage_from_provider && usage_.prompt() > 0;
    how.fully_written = reply_ != nullptr;
    how.head_seen = decoder_ != nullptr;
    how.complete_reply =
        how.head_seen && (ended_ || complete_ || was_refused(error, how.http_status));
    how.text_bytes = text_bytes_ - (how.usage_so_far ? text_bytes_counted_ : 0);
    how.since_sent = call_.seen - (how.usage_so_far ? usage_at_ : sent_at_);
    how.reply_model = reply_model_;
    how.status =
        error == nullptr ? (ended_ ? CallStatus::ok : CallStatus::cancelled) : status_for(*error);
    if (error != nullptr) {
      how.error = error->code;
      how.error_detail = error->detail;
      how.error_label = contract_code(error->kind);
    }
    attempt_->end(how);
    attempt_.reset();
  }
  decoder_.reset();
  if (reply_ && !ended_) reply_->close();
  reply_.reset();
}

std::string_view Forwarder::key_for(const Target& target) const {
  const ProviderEntry& provider = *target.provider;
  if (const std::string* own = own_key(plan_.own_keys, provider.name)) return *own;
  return target.key < provider.api_keys.size() ? std::string_view(provider.api_keys[target.key])
                                               : std::string_view{};
}

}  // namespace tollgate::routing
