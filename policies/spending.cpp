#include "policies/spending.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "policies/denial.hpp"
#include "policies/money/hosts.hpp"
#include "policies/money/settle.hpp"

namespace tollgate::policies {
namespace {

BoundTarget bound_target(const AttemptTarget& target) {
  return {.kind = target.provider_kind,
          .model = target.upstream_model,
          .foreign_host = !target.own_host && !known_host(target.host)};
}

constexpr std::uint64_t bytes_per_token = 4;  // where nobody counted

std::uint64_t counted_tokens(const Usage& usage) {
  return usage.input + usage.cache_write + usage.output;
}

CostByKind sum(CostByKind a, const CostByKind& b) {
  for (const CostKind& kind : cost_kinds)
    a.*kind.member += b.*kind.member;
  return a;
}

Error unpriced(const std::string& why) {
  return make_error(ErrorKind::model_unpriced,
                    "This request cannot be priced, and the key is under a budget: " + why,
                    "model");
}

}  // namespace

Spending::~Spending() { assert(!reservation_); }

bool Spending::under_budget() const {
  return terms_ && (terms_->key.scopes->budget || terms_->model->budget);
}

bool Spending::under_bound() const {
  return terms_ && (terms_->key.scopes->bound || terms_->model->bound);
}

void Spending::consider(const SpendingTerms& terms, wire::RequestView& view) {
  terms_.emplace(terms);
  looked_.reset();
  view_ = &view;
  facts_ = facts_of(view);
  const auto& of_key = terms.key.scopes->scopes;
  const auto& of_model = terms.model->scopes;
  scopes_.clear();
  scopes_.reserve(of_key.size() + of_model.size());
  scopes_.insert(scopes_.end(), of_key.begin(), of_key.end());
  scopes_.insert(scopes_.end(), of_model.begin(), of_model.end());
  cut_to_ = 0;
  denial_.reset();
  view.limit_output({});
}

Tariff Spending::tariff(std::string_view provider, std::string_view kind,
                        std::string_view model) const {
  return terms_->tariffs.find({.tenant = terms_->key.tenant->name,
                               .provider = provider,
                               .kind = kind,
                               .model = model,
                               .when = call_.outcome.started_at});
}

/// M6: the price of another model, where the reply names one.
std::optional<Tariff> Spending::named_tariff(std::string_view reply_model) const {
  if (reply_model.empty() || same_model(current_model_, reply_model)) return std::nullopt;
  return tariff(current_provider_, current_kind_, reply_model);
}

void Spending::take_target(const AttemptTarget& target) {
  current_provider_ = target.provider;
  current_kind_ = target.provider_kind;
  current_model_ = target.upstream_model;
  current_host_ = target.host;
  body_bytes_ = target.body_bytes;
  current_ = price(target);
}

Spending::Priced Spending::price(const AttemptTarget& target) {
  const bool looked = looked_ && looked_->provider == target.provider &&
                      looked_->kind == target.provider_kind &&
                      looked_->model == target.upstream_model;
  if (!looked) {
    looked_ = {target.provider, target.provider_kind, target.upstream_model,
               tariff(target.provider, target.provider_kind, target.upstream_model)};
  }
  Priced priced;
  priced.tariff = looked_->tariff;
  priced.bound = bound_of(facts_, target.body_bytes, bound_target(target), priced.tariff);
  return priced;
}

/// M4, M5: under a budget that is never to be passed the limit is always sent, and under any budget
/// where the provider runs tools: with it goes the number of their uses.
void Spending::prepare(const AttemptTarget& target) {
  const bool uses = under_budget() && !facts_.provider_tools.empty();
  if (!terms_ || !(under_bound() || uses) || facts_.embeddings) return;
  if (cut_to_ > 0) return view_->limit_output(cut_to_);
  if (facts_.limit && facts_.provider_tools.empty()) return view_->limit_output(*facts_.limit);
  const Bound bound = price(target).bound;
  if (bound.output_limit > 0) view_->limit_output(bound.output_limit);
}

/// M8: nobody else is refused for money.
Result<void> Spending::may_be_paid(const Priced& priced) const {
  if (!under_budget()) return {};
  if (priced.bound.needs_limit) {
    return fail(ErrorKind::invalid_request,
                "max_tokens is required: the largest output of this model is not known, and the "
                "key is under a budget.",
                "max_tokens");
  }
  if (priced.bound.priced || terms_->unknown == config::UnknownPrice::allow) return {};
  return std::unexpected(unpriced(priced.bound.unpriced));
}

/// Before a byte goes to another model: that the prompt probably fits it, and what it may cost.
Result<void> Spending::may_go_on(const AttemptTarget& target) const {
  auto payable = may_be_paid(current_);
  if (!payable) return payable;
  const Estimate estimate =
      treasury_.estimates.estimate(target.upstream_model, target.body_bytes, 1);
  const auto window = current_.tariff.context_window();
  if (window && (*window <= going_on_.window_above || *window < estimate.input)) {
    Error error = make_error(ErrorKind::context_length, "The request does not fit this model.");
    error.retry = Retry::other_target;
    return std::unexpected(std::move(error));
  }
  if (going_on_.at_most && current_.bound.total > *going_on_.at_most) {
    return fail(ErrorKind::budget_exceeded, "Another model would be dearer.");
  }
  return {};
}

/// The scopes that the call has already hold more attempt by attempt; those of the new model admit
/// now.
Awaitable<Result<void>> Spending::go_on(const AttemptTarget& target, GoingOn how) {
  if (!reservation_) co_return fail(ErrorKind::internal, "A fallback without a reservation.");
  take_target(target);
  going_on_ = how;
  auto fine = may_go_on(target);
  if (!fine) co_return fine;
  if (!std::exchange(moved_, true)) charge_.of_model = {charge_.tokens, charge_.charged};
  begun_ = true;  // whatever is sent from here on is held beside what ended attempts cost
  under_ = nullptr;
  if (terms_->model->scopes.empty()) co_return Result<void>{};
  const std::string id = call_.outcome.request_id + "/" + std::to_string(further_.size() + 1);
  Ask ask = ask_for(target);
  ask.id = id;
  ask.scopes = terms_->model->scopes;
  ask.user = {};
  ask.floor = ask.bound;
  auto verdict = co_await treasury_.store.reserve(ask);
  if (!verdict) co_return std::unexpected(error_of(verdict.error()));
  further_.push_back({std::move(verdict->reservation), {}});
  under_ = &further_.back();
  co_return Result<void>{};
}

Ask Spending::ask_for(const AttemptTarget& target) const {
  const Bound& bound = current_.bound;
  const Estimate estimate = treasury_.estimates.estimate(target.upstream_model, target.body_bytes,
                                                         bound.output_limit, bound.copies);
  Ask ask{.id = call_.outcome.request_id,
          .scopes = scopes_,
          .user = call_.outcome.user,
          .tokens = estimate.total(),
          .bound = bound.total,
          .estimate = estimated_cost(bound, estimate),
          .floor = bound.total};
  const std::uint64_t least = terms_->clip_min_tokens;
  const bool may_be_cut = least > 0 && facts_.may_be_cut && bound.output_limit > least;
  if (may_be_cut && !is_reasoning_model(target.upstream_model)) {
    ask.floor = bound.with_limit(least);
  }
  return ask;
}

Awaitable<Result<bool>> Spending::admit(const AttemptTarget& target) {
  take_target(target);
  auto payable = may_be_paid(current_);
  if (!payable) co_return std::unexpected(payable.error());
  const Ask ask = ask_for(target);
  charge_.tokens = 0;
  co_return taken(co_await treasury_.store.reserve(ask));
}

Awaitable<Result<void>> Spending::admit_uncharged(const Key& key, const ScopeChain& model) {
  scopes_ = key.scopes->scopes;
  scopes_.insert(scopes_.end(), model.scopes.begin(), model.scopes.end());
  const Ask ask{.id = call_.outcome.request_id, .scopes = scopes_, .user = call_.outcome.user};
  const auto admitted = taken(co_await treasury_.store.reserve(ask));
  if (!admitted) co_return std::unexpected(admitted.error());
  co_return Result<void>{};
}

/// What the store said, as `admit` says it.
Result<bool> Spending::taken(Verdict verdict) {
  if (verdict) return take(std::move(*verdict));
  denial_ = std::move(verdict.error());
  return std::unexpected(error_of(*denial_));
}

/// True: the reply has to be shorter than was asked for (M9).
bool Spending::take(Admitted admitted) {
  admitted_ = true;
  reservation_ = std::move(admitted.reservation);
  room_ = std::move(admitted.room);
  would_deny_ = std::move(admitted.would_deny);
  degraded_ = std::move(admitted.degraded);
  call_.outcome.admitted_at = reservation_->admitted_at;
  if (!under_bound() || reservation_->held >= current_.bound.total) return false;
  return cut_to_fit(reservation_->held);
}

bool Spending::cut_to_fit(NanoUsd money) {
  cut_to_ = current_.bound.limit_within(money);
  facts_.limit = cut_to_;
  current_.bound.total = current_.bound.with_limit(cut_to_);
  current_.bound.output_limit = cut_to_;
  view_->limit_output(cut_to_);
  return true;
}

/// Another target than admission looked at, or another attempt, has a bound of its own beside what
/// the ended ones cost.
Awaitable<Result<void>> Spending::hold_more(const AttemptTarget& target) {
  take_target(target);
  auto payable = moved_ ? may_go_on(target) : may_be_paid(current_);
  if (!payable) co_return payable;
  co_return co_await extend();
}

Awaitable<Result<void>> Spending::begin(const AttemptTarget& target, AttemptOutcome& attempt) {
  if (!reservation_) co_return fail(ErrorKind::internal, "An attempt without a reservation.");
  if (under_way_) set_aside();
  const bool as_admitted =
      !begun_ && target.provider == current_provider_ && target.upstream_model == current_model_;
  if (!as_admitted) {
    auto held = co_await hold_more(target);
    if (!held) {
      take_back();
      co_return held;
    }
  }
  begun_ = true;
  expect_text();
  under_way_ = call_.outcome.attempts.size() - 1;
  attempt.reserved = current_.bound.total;
  const config::PriceRow* row =
      current_.tariff.rows.empty() ? nullptr : current_.tariff.rows.front();
  if (row != nullptr) attempt.price_version = row->version;
  if (treasury_.ledger == nullptr) co_return Result<void>{};
  auto noted = treasury_.ledger->begin(call_.outcome);
  // M28: callers without a budget run on; the ledger counts what it could not write.
  if (!noted && under_budget()) {
    take_back();
    co_return noted;
  }
  co_return Result<void>{};
}

void Spending::end(AttemptOutcome& attempt, const AttemptEnd& how) noexcept {
  const auto index = static_cast<std::size_t>(&attempt - call_.outcome.attempts.data());
  if (beside_ && beside_->attempt == index) change_over();
  settle_current(attempt, how);
  take_back();
}

void Spending::settle_current(AttemptOutcome& attempt, const AttemptEnd& how) noexcept {
  const AttemptFacts facts{.fully_written = how.fully_written,
                           // What we have ended ourselves has worked until then (M11).
                           .head_seen = how.head_seen || how.status == CallStatus::cancelled,
                           .http_status = how.http_status,
                           .complete_reply = how.complete_reply,
                           .content_filter_refusal = how.error == "content_filter",
                           .stops_billing = stops_billing_on_close(current_kind_),
                           .bills_timeouts = bills_timeouts(current_kind_, current_host_),
                           .received_text_bytes = how.text_bytes,
                           .since_sent = how.since_sent,
                           .usage = how.usage_from_provider ? &how.usage : nullptr,
                           .so_far = how.usage_so_far ? &how.usage : nullptr};
  if (may_be_billed(facts)) spent_ = true;
  const auto named = named_tariff(how.reply_model);
  const Settled settled =
      settle_attempt(facts, current_.bound, current_.tariff, named ? &*named : nullptr);
  attempt.cost = settled.cost;
  attempt.charged = settled.charged;
  attempt.cost_by_kind = settled.by_kind;
  attempt.overrun = settled.overrun;
  std::uint64_t tokens = 0;
  if (how.usage_from_provider) {
    treasury_.estimates.learn(current_model_, body_bytes_, how.usage, current_.bound.copies);
    tokens = counted_tokens(how.usage);
  } else if (how.usage_so_far) {
    tokens = counted_tokens(how.usage) + how.text_bytes / bytes_per_token;
    attempt.usage.output = std::max(attempt.usage.output, settled.output);
  } else if (settled.charged > 0) {
    tokens = treasury_.estimates.estimate(current_model_, body_bytes_, 1).input +
             how.text_bytes / bytes_per_token;
  }
  Outcome& outcome = call_.outcome;
  const bool first = !std::exchange(any_ended_, true);
  note_charge(tokens, settled.charged);
  outcome.charged = charge_.charged;
  outcome.cost_by_kind = sum(outcome.cost_by_kind, settled.by_kind);
  outcome.price_version = attempt.price_version;
  if (!settled.cost || (!first && !outcome.cost)) {
    outcome.cost.reset();
  } else {
    outcome.cost = add_saturated(outcome.cost.value_or(0), *settled.cost);
  }
}

/// The call's own scopes bear everything, a model's what ran under it.
void Spending::note_charge(std::uint64_t tokens, NanoUsd charged) noexcept {
  charge_.tokens += tokens;
  charge_.charged = add_saturated(charge_.charged, charged);
  if (under_ == nullptr) return;
  under_->charge.tokens += tokens;
  under_->charge.charged = add_saturated(under_->charge.charged, charged);
}

Awaitable<std::vector<Crossing>> Spending::settle() {
  if (!reservation_) co_return std::vector<Crossing>{};
  // Who dies between the store's note of it and the row must find this figure again.
  if (treasury_.store_outlives && any_ended_ && treasury_.ledger != nullptr)
    treasury_.ledger->ended(call_.outcome);
  auto crossings = co_await treasury_.store.settle(std::exchange(reservation_, nullptr), charge_);
  under_ = nullptr;
  for (Further& further : further_) {
    const auto more = co_await treasury_.store.settle(std::exchange(further.reservation, nullptr),
                                                      further.charge);
    crossings.insert(crossings.end(), more.begin(), more.end());
  }
  co_return crossings;
}

std::optional<NanoUsd> Spending::cost_so_far(const Usage& usage,
                                             std::string_view reply_model) const {
  const auto named = named_tariff(reply_model);
  const Settled settled =
      settle_attempt({.usage = &usage}, current_.bound, current_.tariff, named ? &*named : nullptr);
  if (!settled.cost) return std::nullopt;
  return add_saturated(charge_.charged, *settled.cost);
}

}  // namespace tollgate::policies
