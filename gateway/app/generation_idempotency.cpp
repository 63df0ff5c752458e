// The part of a call that has an Idempotency-Key: it runs and leaves its reply to others, or reads
// the reply of the call that had the key first.
#include "gateway/app/generation.hpp"
#include "gateway/app/reply_fields.hpp"
#include "gateway/app/reply_reader.hpp"

namespace tollgate::app {

using policies::ReplyLog;

/// After the policies, so that a key reaches only what its caller may ask for.
Awaitable<Result<void>> Generation::admit_keyed(const routing::Match& match) {
  auto entered = co_await enter();
  if (!entered) co_return entered;
  if (lead_) {
    if (ask_cache(match)) co_await ask_shared_cache();
    co_return co_await (is_answered() ? admit_answered(match) : admit(match));
  }
  spending_.consider(terms(*match.route), *view_);
  co_return co_await spending_.admit_uncharged(*run_.key,
                                               run_.plan->scopes.of_model(match.route->name));
}

Awaitable<Result<void>> Generation::enter() {
  auto entered = enter_here();
  if (entered && lead_ && services_.replicas != nullptr) entered = co_await agree();
  note_source();
  co_return entered;
}

Result<void> Generation::enter_here() {
  auto entrance = services_.shared.idempotency->enter({.tenant = run_.key->tenant->name,
                                                       .endpoint = to_string(view_->endpoint),
                                                       .key = run_.idempotency_key,
                                                       .body = view_->body});
  if (!entrance) return std::unexpected(entrance.error());
  source_ = std::move(entrance->log);
  joined_ = entrance->running;
  if (entrance->lead) lead_.emplace(std::move(*entrance->lead));
  return {};
}

void Generation::note_source() {
  call_.outcome.cache = !source_ ? "" : joined_ ? "coalesced" : "replayed";
  call_.outcome.cost = source_ ? std::optional<NanoUsd>(0) : std::nullopt;
}

/// True: the reply is another's, and `finish` sends what is left of it. False: this call runs.
Awaitable<Result<bool>> Generation::follow() {
  for (;;) {
    auto state = co_await copy_reply();
    if (!state) co_return std::unexpected(state.error());
    if (*state == ReplyLog::State::done) co_return true;
    if (*state == ReplyLog::State::lost) {
      co_return fail(ErrorKind::idempotency_unknown,
                     "The call that this one waited for was or may have been paid for, but its "
                     "reply is not known.",
                     "Idempotency-Key");
    }
    if (released_) {
      co_return fail(ErrorKind::stream_cut,
                     "The call that this one waited for was not answered to its end.");
    }
    // It failed before anything was spent: whoever comes first runs instead.
    auto entered = co_await enter();
    if (!entered) co_return std::unexpected(entered.error());
    if (source_) continue;
    auto runs = co_await run_instead();
    if (!runs) co_return std::unexpected(runs.error());
    co_return false;
  }
}

/// In place of a call that failed; admitted long since, so what it may cost is reserved with its
/// first attempt. An equal one may have been answered meanwhile, or run.
Awaitable<Result<void>> Generation::run_instead() {
  const auto match = run_.plan->routes.find(view_->model);
  if (!match) co_return fail(ErrorKind::model_not_found, "The model is not there any more.");
  if (ask_cache(*match)) co_await ask_shared_cache();
  if (hit() || follows_) co_return Result<void>{};
  if (is_answered()) co_return std::unexpected(not_stored());
  co_return start_forwarder(*match);
}

/// Sends the other call's reply as it comes, up to its last bytes: those wait in `pieces_`.
Awaitable<Result<ReplyLog::State>> Generation::copy_reply() {
  ReplyReader reader(*services_.loop, source_, call_);
  for (;;) {
    auto step = co_await reader.next(pieces_, silence_until());
    if (!step) co_return std::unexpected(step.error());
    Result<void> sent;
    switch (*step) {
      case ReplyReader::Step::timeout:
        sent = co_await on_silence();
        break;
      case ReplyReader::Step::head:
        if (source_->head()->stream && !begun_) begin_stream();
        break;
      case ReplyReader::Step::bytes:
        if (!released_) release_request();
        if (begun_ && source_->head()->stream) sent = co_await send_pieces();
        break;
      case ReplyReader::Step::end:
        if (reader.state() != ReplyLog::State::done) pieces_.clear();
        // What began as a stream cannot end as a whole reply.
        if (source_->error() && begun_ && !source_->head()->stream) {
          co_return std::unexpected(*source_->error());
        }
        co_return reader.state();
    }
    if (!sent) co_return std::unexpected(sent.error());
  }
}

/// The head of a reply that another call made.
ReplyHead Generation::followed_head() const {
  const policies::KeptHead* kept = source_->head();
  ReplyHead head = base_head(run_, kept != nullptr ? kept->status : 200);
  if (kept != nullptr) {
    head.fields += kept->fields;
  } else {
    add_content_fields(head);
  }
  head.add("x-tollgate-idempotent", joined_ ? "joined" : "replayed");
  if (kept != nullptr && kept->status < 400 && !kept->stream) head.add("x-tollgate-cost-usd", "0");
  // The same key brings the same error again.
  if (kept != nullptr && kept->status >= 400) head.add("x-should-retry", "false");
  add_overhead(head, run_);
  return head;
}

/// Whether the reply is one; a kept error is none.
bool Generation::streams() const {
  const policies::KeptHead* kept = source_ ? source_->head() : nullptr;
  return kept != nullptr ? kept->stream : view_->stream;
}

/// What was paid for, or may have been, is kept as it is; else the key is free again.
void Generation::release_key(const Result<void>& how) {
  if (how || (spending_.spent() && how.error().kind != ErrorKind::client_gone)) return;
  lead_->end(spending_.spent() ? ReplyLog::State::lost : ReplyLog::State::failed);
  lead_.reset();
}

void Generation::keep_head(const Error* error) {
  ReplyHead own;
  if (error == nullptr) {
    add_reply_fields(own);
  } else {
    own.status = error->status;
    own.add("content-type", "application/json");
    if (!call_.outcome.attempts.empty()) add_route_fields(own, run_);
  }
  const bool stream = error == nullptr && view_->stream;
  lead_->begin({.status = own.status, .stream = stream, .fields = std::move(own.fields)});
}

/// The last bytes, before the client gets them: its next call with this key then finds them.
void Generation::keep_last(const Result<void>& how) {
  if (!begun_) keep_head(how ? nullptr : &how.error());
  lead_->append(pieces_);
  lead_->end(ReplyLog::State::done, how ? std::nullopt : std::optional<Error>(how.error()));
}

}  // namespace tollgate::app
