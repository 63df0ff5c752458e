#include "routing/forwarder.hpp"

#include <algorithm>

namespace tollgate::routing {
namespace {

bool has_content(const Batch& batch) { return std::ranges::any_of(batch.events, is_content); }

/// Counts the time until the end of the scope as somebody else's.
class Waiting {
 public:
  explicit Waiting(Call& call) : call_(call), since_(std::chrono::steady_clock::now()) {}
  ~Waiting() { call_.waited += std::chrono::steady_clock::now() - since_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Call& call_;
  SteadyTime since_;
};

CallStatus status_for(const Error& error) {
  if (error.kind == ErrorKind::client_gone) return CallStatus::client_abort;
  if (error.kind == ErrorKind::draining) return CallStatus::cancelled;
  return CallStatus::error;
}

}  // namespace

Forwarder::Forwarder(Call& call, ForwardPlan plan, Upstream& upstream, AttemptGate& gate)
    : call_(call), plan_(std::move(plan)), upstream_(upstream), gate_(gate) {}

Forwarder::~Forwarder() { close(); }

void Forwarder::close() noexcept {
  if (attempt_) end_attempt(call_.abort.aborted() ? &call_.abort.reason() : nullptr);
}

void Forwarder::release_request() {
  if (content_out_) encoded_.request = {};
}

Awaitable<Result<Step>> Forwarder::next(Batch& out, SteadyTime until) {
  if (ended_) co_return Step::end;  // what the last batch points to stays
  out.clear();
  for (;;) {
    if (!attempt_) {
      auto begun = co_await begin_attempt();
      if (!begun) co_return std::unexpected(begun.error());
    }
    auto step = co_await advance(out, until);
    if (step) co_return *step;
    end_attempt(&step.error());
    remember(std::move(step.error()));
    if (content_out_ || !may_try_another(*last_error_)) co_return std::unexpected(*last_error_);
    out.clear();
    held_.clear();
  }
}

bool Forwarder::may_try_another(const Error& error) const {
  return error.retry != Retry::never && !call_.abort.aborted() &&
         next_target_ < plan_.targets.size() && begun_ < plan_.attempts_max &&
         std::chrono::steady_clock::now() < call_.deadline;
}

/// What a provider said is worth more to the client than why the target after it could not be
/// asked.
void Forwarder::remember(Error error) {
  const bool keep = last_error_ && last_error_->origin == Origin::upstream &&
                    error.origin != Origin::upstream && error.retry != Retry::never;
  if (!keep) last_error_ = std::move(error);
}

/// Begins on the next target that lets itself be begun; the last reason when none is left.
Awaitable<Result<void>> Forwarder::begin_attempt() {
  for (;;) {
    if (call_.abort.aborted()) co_return std::unexpected(call_.abort.reason());
    if (next_target_ >= plan_.targets.size()) {
      if (last_error_) co_return std::unexpected(*last_error_);
      co_return fail(ErrorKind::no_healthy_target,
                     "No target of this model can be used right now.");
    }
    auto begun = co_await begin_on(plan_.targets[next_target_++]);
    if (begun) co_return Result<void>{};
    end_attempt(&begun.error());
    remember(std::move(begun.error()));
    if (!may_try_another(*last_error_)) co_return std::unexpected(*last_error_);
  }
}

Awaitable<Result<void>> Forwarder::begin_on(const Target& target) {
  const ProviderEntry& provider = *target.provider;
  current_ = target;
  if (!provider.codec->supports(plan_.view.endpoint)) {
    co_return fail(ErrorKind::unsupported_endpoint,
                   "The provider of this model does not offer " +
                       std::string(to_string(plan_.view.endpoint)) + ".");
  }
  const EncodeContext context{.api_key = key_for(provider),
                              .request_id = call_.outcome.request_id,
                              .now = std::chrono::system_clock::now(),
                              .refuse_unsupported = plan_.refuse_unsupported};
  auto encoded = provider.codec->encode(plan_.view, target, context);
  if (!encoded) co_return std::unexpected(encoded.error());
  encoded_ = std::move(*encoded);
  HeaderFields& headers = encoded_.request.headers;
  for (const auto& [name, value] : provider.headers)
    headers.add(name, value);
  headers.add("x-request-id", call_.outcome.request_id);

  auto attempt = co_await gate_.begin(call_, {provider.name, provider.kind, current_->model});
  if (!attempt) co_return std::unexpected(attempt.error());
  attempt_.emplace(std::move(*attempt));
  ++begun_;
  usage_ = {};
  usage_seen_ = false;
  complete_ = false;
  reply_bytes_ = 0;
  const Waiting waiting(call_);
  auto reply = co_await upstream_.send(
      {provider, encoded_.request, plan_.view.stream, call_.deadline, call_.abort});
  if (!reply) co_return std::unexpected(reply.error());
  reply_ = std::move(*reply);
  co_return Result<void>{};
}

/// One step of the attempt in flight: what the run may see of it.
Awaitable<Result<Step>> Forwarder::advance(Batch& out, SteadyTime until) {
  if (!decoder_) {
    const Waiting waiting(call_);
    auto ready = co_await reply_->await_head(until);
    if (!ready) co_return std::unexpected(ready.error());
    if (!*ready) co_return Step::timeout;
    decoder_ = current_->provider->codec->decoder(reply_->head(), encoded_.hints);
  }
  const bool whole = !plan_.view.stream;
  for (;;) {
    Batch& into = content_out_ ? out : held_;
    auto step = co_await pull(into, until);
    if (!step || *step == Step::timeout) co_return step;
    note(into);
    if (*step == Step::end) {
      ended_ = true;
      end_attempt(nullptr);
    }
    if (!content_out_) {
      // A reply that is no stream is only shown whole: a cut one is an invisible retry.
      const bool show = ended_ || (!whole && has_content(held_));
      if (!show) continue;
      std::swap(out, held_);
      held_ = {};
      content_out_ = true;
    }
    if (out.frames.empty() && !ended_) continue;
    co_return out.frames.empty() ? Step::end : Step::batch;
  }
}

/// Reads once from the provider and decodes it. A reply that has said its last word is complete
/// whatever happens to its connection; only a moment is given to the end of its framing, for the
/// connection's next use.
Awaitable<Result<Step>> Forwarder::pull(Batch& into, SteadyTime until) {
  constexpr auto framing_grace = std::chrono::milliseconds(250);
  const SteadyTime since = std::chrono::steady_clock::now();
  auto step = co_await reply_->read(complete_ ? since + framing_grace : until);
  call_.waited += std::chrono::steady_clock::now() - since;
  const bool over = !step || step->what != ReadStep::What::bytes;
  if (complete_ && over) step = ReadStep{.what = ReadStep::What::end, .block = {}, .bytes = {}};
  if (!step) co_return std::unexpected(step.error());
  if (step->what == ReadStep::What::timeout) co_return Step::timeout;
  auto taken = take(*step, into);
  if (!taken) co_return std::unexpected(taken.error());
  co_return step->what == ReadStep::What::end ? Step::end : Step::batch;
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
    }
    complete_ = complete_ || std::holds_alternative<Ended>(event);
  }
}

void Forwarder::end_attempt(const Error* error) noexcept {
  if (attempt_) {
    AttemptEnd how;
    how.http_status = reply_ && decoder_ ? reply_->head().status : 0;
    how.usage = usage_;
    how.usage_from_provider = usage_seen_;
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

std::string_view Forwarder::key_for(const ProviderEntry& provider) const {
  if (plan_.own_keys != nullptr) {
    for (const auto& [name, key] : *plan_.own_keys) {
      if (name == provider.name) return key;
    }
  }
  if (provider.api_keys.empty()) return {};
  return provider.api_keys[plan_.turn % provider.api_keys.size()];
}

}  // namespace tollgate::routing
