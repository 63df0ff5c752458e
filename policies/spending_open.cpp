// What a call's open attempts hold: one as a rule, two while one is raced by another.
#include <utility>

#include "policies/denial.hpp"
#include "policies/spending.hpp"

namespace tollgate::policies {

/// Holds the bound of the attempt beside what the ended ones cost.
Awaitable<Result<void>> Spending::extend() {
  const NanoUsd open =
      add_saturated(current_.bound.total, beside_ ? beside_->priced.bound.total : 0);
  auto held = co_await treasury_.store.extend(*reservation_, add_saturated(charge_.charged, open));
  if (held && under_ != nullptr) {
    held = co_await treasury_.store.extend(*under_->reservation,
                                           add_saturated(under_->charge.charged, open));
  }
  if (!held) co_return std::unexpected(error_of(held.error()));
  co_return Result<void>{};
}

/// A limit counts tokens, a stream shows text: only far more text than so many tokens can hold
/// proves that the limit was passed.
void Spending::expect_text() {
  constexpr std::uint64_t bytes_a_token = 64, slack = 1024, tokens_max = UINT64_C(1) << 40U;
  const Bound& bound = current_.bound;
  const bool holds = under_bound() && view_->set_limit() && bound.per_output_token > 0;
  text_most_ = UINT64_MAX;
  if (!holds || bound.output_limit > tokens_max || bound.copies > 1024) return;
  text_most_ = bound.output_limit * bound.copies * bytes_a_token + slack;
}

Awaitable<bool> Spending::stretch() {
  if (!reservation_) co_return true;
  const Bound before = current_.bound;
  current_.bound.output_limit *= 2;
  current_.bound.total = current_.bound.with_limit(current_.bound.output_limit);
  const auto held = co_await extend();
  if (!held) current_.bound = before;
  expect_text();
  co_return held.has_value();
}

/// One attempt runs, and another is to begin.
void Spending::set_aside() {
  beside_ = Beside{.priced = current_,
                   .provider = current_provider_,
                   .kind = current_kind_,
                   .host = current_host_,
                   .model = current_model_,
                   .body_bytes = body_bytes_,
                   .attempt = std::exchange(under_way_, std::nullopt)};
}

void Spending::change_over() {
  std::swap(current_, beside_->priced);
  std::swap(current_provider_, beside_->provider);
  std::swap(current_kind_, beside_->kind);
  std::swap(current_host_, beside_->host);
  std::swap(current_model_, beside_->model);
  std::swap(body_bytes_, beside_->body_bytes);
  std::swap(under_way_, beside_->attempt);
  expect_text();
}

/// The one that was set aside, if any, is alone again.
void Spending::take_back() {
  under_way_.reset();
  if (!beside_) return;
  change_over();
  beside_.reset();
}

}  // namespace tollgate::policies
