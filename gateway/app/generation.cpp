#include "gateway/app/generation.hpp"

#include <algorithm>

#include "gateway/app/reply_fields.hpp"
#include "policies/denial.hpp"

namespace tollgate::app {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr std::size_t user_bytes_max = 256;  // of the client's own choosing, for logs and rows

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

CallStatus status_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::client_gone:
      return CallStatus::client_abort;
    case ErrorKind::model_not_allowed:
    case ErrorKind::overloaded:
    case ErrorKind::rate_limit_exceeded:
    case ErrorKind::budget_reserved:
    case ErrorKind::budget_exceeded:
    case ErrorKind::store_unavailable:
    case ErrorKind::model_unpriced:
      return CallStatus::denied;
    default:
      return CallStatus::error;
  }
}

}  // namespace

Generation::Generation(Services& services, Run& run, RequestBody& body, ReplyWriter& writer)
    : services_(services),
      run_(run),
      call_(run.call),
      body_(body),
      writer_(writer),
      dialect_(wire::openai_chat()),
      spending_(services.treasury, run.call),
      gate_(spending_) {}

Awaitable<void> Generation::serve() {
  Result<void> how;
  try {
    how = co_await answer();
  } catch (const std::exception& bug) {
    how = fail(ErrorKind::internal, "The gateway failed on this request.");
    how.error().detail = bug.what();
    services_.shared.log.error(std::string("bug in request ") + call_.outcome.request_id + ": " +
                               bug.what());
  }
  co_await finish(std::move(how));
}

Awaitable<Result<void>> Generation::answer() {
  if (run_.refusal) co_return std::unexpected(*run_.refusal);
  auto prepared = co_await prepare();
  if (!prepared) co_return prepared;
  if (source_) {
    auto followed = co_await follow();
    if (!followed) co_return std::unexpected(followed.error());
    if (*followed) co_return Result<void>{};
  }
  // Others may read what this call writes, whether or not its client does.
  if (lead_) run_.drains = true;
  if (hit()) co_return co_await replay();
  if (follows_) {
    auto shared = co_await share();
    if (!shared) co_return std::unexpected(shared.error());
    if (*shared) co_return Result<void>{};
  }
  co_return co_await pump();
}

/// Body, shallow decode, route, policies: everything before the first attempt.
Awaitable<Result<void>> Generation::prepare() {
  auto bytes = body_.at_hand(run_.plan->config.listen.limits.body_bytes.count);
  if (!bytes) {
    const SteadyTime since = call_.look();
    auto arrived = co_await body_.read(run_.plan->config.listen.limits.body_bytes.count);
    call_.waited += call_.look() - since;
    if (!arrived) co_return std::unexpected(arrived.error());
    bytes = *arrived;
  }
  call_.outcome.request_bytes = bytes->size();

  auto read = read_view(*bytes);
  if (!read) co_return read;
  auto match = choose(view_->model);
  if (!match) co_return std::unexpected(match.error());
  policies::Request request{call_, *run_.key, *view_};
  const policies::PolicyList& policies = run_.plan->policies;
  const auto judged = policies::Watches::judge(policies, request);
  if (!judged) co_return std::unexpected(judged.error());
  if (*judged < policies.size()) {
    auto admitted = co_await watches_.admit(std::span(policies).subspan(*judged), request);
    if (!admitted) co_return admitted;
  }
  call_.outcome.booked = true;
  const bool plainly = run_.idempotency_key.empty() && !run_.plan->config.cache &&
                       !run_.cache_wish.only_if_cached;
  auto reserved = co_await (plainly ? admit(*match) : admit_somehow(*match));
  note_room();
  co_return reserved;
}

/// By its key, by a kept reply, or by what its first attempt may cost.
Awaitable<Result<void>> Generation::admit_somehow(const routing::Match& match) {
  Result<void> reserved;
  if (!run_.idempotency_key.empty()) {
    reserved = co_await admit_keyed(match);
  } else {
    if (ask_cache(match)) co_await ask_shared_cache();
    reserved = co_await (is_answered() ? admit_answered(match) : admit(match));
  }
  co_return reserved;
}

Result<void> Generation::read_view(std::string_view bytes) {
  auto view = dialect_.read(call_.outcome.endpoint, bytes);
  if (!view) return std::unexpected(view.error());
  view_ = std::move(*view);
  call_.outcome.model_asked = view_->model;
  call_.outcome.user = view_->user.substr(0, user_bytes_max);
  call_.outcome.stream = view_->stream;
  return {};
}

/// Moves batches from the provider to the client; each write is awaited: that is the backpressure.
Awaitable<Result<void>> Generation::pump() {
  run_.drains = route_->drain_on_disconnect || lead_;
  run_.leads = leads_.get();
  std::optional<AbortScope> scope;
  if (hedge_) scope.emplace(call_.abort, hedge_->race);
  for (;;) {
    auto step = queue_turn_ ? co_await next_in_turn(silence_until())
                : hedge_    ? co_await next_hedged()
                            : co_await forwarder_->next(batch_, silence_until());
    if (!step && continuation_ && continuation_->begun()) {
      step = continue_stream(std::move(step.error()));
    }
    if (!step) {
      if (joins_queue(step.error())) continue;
      if (fallbacks_for(step.error()) == nullptr) co_return std::unexpected(step.error());
      auto fallen = co_await fall_back(std::move(step.error()));
      if (!fallen) co_return fallen;
      continue;
    }
    Result<void> done;
    switch (*step) {
      case routing::Step::end:
        if (cache_) co_await keep_reply();
        encoder().finish(pieces_);
        co_return Result<void>{};
      case routing::Step::timeout:
        done = co_await on_silence();
        break;
      case routing::Step::batch:
        if (auto shown = take_batch(); !shown) {
          done = std::unexpected(std::move(shown.error()));
        } else if (*shown && !send_now()) {
          done = co_await send_pieces();
        }
        if (done && passed_limit() && !co_await spending_.stretch()) co_return cut_at_limit();
        break;
    }
    if (!done) co_return done;
  }
}

/// Until when the provider may be silent before the client hears from us.
SteadyTime Generation::silence_until() const {
  if (!view_->stream) return never;
  if (!begun_) return call_.started + route_->hold_back;
  const auto heartbeat = run_.plan->config.listen.heartbeat;
  return heartbeat.count() > 0 ? last_write_ + heartbeat : never;
}

Awaitable<Result<void>> Generation::on_silence() {
  if (begun_) {
    pieces_.view(dialect_.heartbeat());
  } else {
    begin_stream();
  }
  co_return co_await send_pieces();
}

Awaitable<Result<void>> Generation::on_batch() {
  auto shown = take_batch();
  if (!shown) co_return std::unexpected(std::move(shown.error()));
  if (*shown && !send_now()) co_return co_await send_pieces();
  co_return Result<void>{};
}

/// True: there is something for the client now.
Result<bool> Generation::take_batch() {
  if (continuation_) continuation_->rejoin(batch_);
  auto passed = watches_.on_frames(batch_);
  if (passed && cache_) passed = take_down();
  if (!passed) return std::unexpected(std::move(passed.error()));
  note_batch();
  if (continuation_) note_text();
  encoder().encode(batch_, pieces_);
  if (!view_->stream || pieces_.empty()) return false;
  if (!begun_) begin_stream();
  if (lead_) lead_->append(pieces_);
  if (!released_) release_request();
  return true;
}

ReplyHead Generation::reply_head() const {
  if (source_) return followed_head();
  ReplyHead head = base_head(run_, 200);
  add_reply_fields(head);
  add_overhead(head, run_);
  if (!view_->stream && call_.outcome.cost) {
    head.add("x-tollgate-cost-usd", usd_text(*call_.outcome.cost));
  }
  return head;
}

void Generation::add_content_fields(ReplyHead& head) const {
  if (view_->stream) {
    head.add("content-type", "text/event-stream; charset=utf-8");
    head.add("cache-control", "no-cache");
    head.add("x-accel-buffering", "no");
  } else {
    head.add("content-type", "application/json");
  }
}

/// What belongs to the reply, whoever gets it.
void Generation::add_reply_fields(ReplyHead& head) const {
  add_content_fields(head);
  add_route_fields(head, run_);
  if (!dropped().empty()) head.add("x-tollgate-dropped-params", joined(dropped()));
}

std::string Generation::reply_id() const { return "chatcmpl-" + call_.outcome.request_id; }

/// Made when the first content is there (or the stream fails before): only then is it known which
/// attempt answers.
wire::ReplyEncoder& Generation::encoder() {
  if (!encoder_) {
    const cache::ReplyFacts* facts = given();
    encoder_ =
        dialect_.encoder({.id = reply_id(),
                          .created = unix_seconds(call_.outcome.started_at),
                          .model = facts && !facts->model.empty() ? facts->model : view_->model,
                          .endpoint = view_->endpoint,
                          .stream = view_->stream,
                          .include_usage = view_->include_usage,
                          .base64 = view_->base64,
                          .relay = again_ || (forwarder_ && forwarder_->hints().relay),
                          .legacy_functions = view_->legacy_functions});
  }
  return *encoder_;
}

void Generation::note_batch() {
  Outcome& outcome = call_.outcome;
  for (StreamEvent& event : batch_.events) {
    if (outcome.ttft.count() < 0 && is_content(event)) {
      outcome.ttft = duration_cast<microseconds>(call_.seen - call_.started);
    }
    if (auto* usage = std::get_if<UsageEvent>(&event)) {
      outcome.usage = usage->usage;
      outcome.usage_from_provider = true;
      if (view_->stream && view_->include_usage) {
        usage->cost =
            given() ? 0
                    : spending_.cost_so_far(usage->usage, forwarder_->reply_model()).value_or(-1);
      }
    } else if (const auto* finished = std::get_if<Finished>(&event)) {
      if (finished->choice == 0) outcome.finish = to_string(finished->reason);
    }
  }
}

/// Settles, answers and records, in this order: who calls again after the last byte finds its place
/// free.
Awaitable<void> Generation::finish(Result<void> how) {
  if (!how && call_.abort.aborted()) how = std::unexpected(call_.abort.reason());
  if (leads_) how ? leads_->close() : tell_followers(how.error());
  run_.leads = nullptr;
  Outcome& outcome = call_.outcome;
  if (hedge_) co_await stop_race();
  if (forwarder_) {
    outcome.dropped_params = forwarder_->dropped();
    forwarder_->close();
  }
  outcome.status = hit() ? CallStatus::cache_hit : CallStatus::ok;
  outcome.http_status = 200;
  if (run_.left) {
    note_failure(*run_.left);
  } else if (!how) {
    note_failure(how.error());
  } else if (source_ && source_->error()) {
    note_failure(*source_->error());
  }
  if (outcome.attempts.empty()) outcome.cost = 0;  // sent nowhere: no price is needed (M12)
  note_times();
  outcome.ended_at = call_.seen_at();
  co_await watches_.settle(outcome);
  const std::vector<Crossing> crossings = co_await spending_.settle();
  if (!crossings.empty()) services_.warnings.tell(crossings);
  if (lead_) release_key(how);
  if (claim_ && !lead_) co_await give_up_claim();
  try {
    co_await send_last(how);
  } catch (const std::exception& bug) {
    services_.shared.log.error(std::string("bug at the end of ") + call_.outcome.request_id + ": " +
                               bug.what());
  }
  if (begun_) --services_.shared.metrics.streams_active;
  record();
}

void Generation::note_failure(const Error& error) {
  Outcome& outcome = call_.outcome;
  const bool gone = error.kind == ErrorKind::client_gone;
  outcome.status = status_of(error);
  outcome.http_status = begun_ && !gone ? 200 : error.status;
  outcome.error = error.code;
  outcome.error_label = contract_code(error.kind);
  outcome.error_detail = error.detail;
  outcome.error_origin = error.origin;
}

void Generation::note_times() {
  const auto all = call_.look() - call_.started;
  call_.outcome.duration = duration_cast<microseconds>(all);
  call_.outcome.overhead = duration_cast<microseconds>(all - call_.waited);
}

/// The last bytes of a good reply, or the error in the form that is still possible.
Awaitable<void> Generation::send_last(const Result<void>& how) {
  if (!how && how.error().kind == ErrorKind::client_gone) co_return;
  if (!how) {
    pieces_.clear();
    begun_ ? encoder().fail(how.error(), pieces_) : pieces_.own(dialect_.render_error(how.error()));
  } else if (streams() && !begun_) {
    begin_stream();
  }
  if (lead_) keep_last(how);
  if (claim_) co_await share_reply();
  if (run_.left) co_return;
  call_.outcome.response_bytes += pieces_.size();
  Result<void> sent;
  if (begun_) {
    sent = co_await writer_.write(pieces_);
    if (sent) sent = co_await writer_.end();
  } else {
    sent = co_await writer_.whole(how ? reply_head() : error_head(run_, how.error()), pieces_);
  }
  if (!sent && how) note_failure(sent.error());
}

void Generation::record() {
  for (OutcomeSink* sink : services_.sinks)
    sink->record(call_.outcome);
}

}  // namespace tollgate::app
