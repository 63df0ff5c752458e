#include "gateway/app/denials.hpp"

#include "gateway/core/error.hpp"

namespace tollgate::app {
namespace {

/// 429 of a limit or a budget; whatever else is refused keeps its own row.
bool is_refusal(const Outcome& outcome) {
  if (outcome.status != CallStatus::denied || !outcome.attempts.empty()) return false;
  for (const ErrorKind kind :
       {ErrorKind::rate_limit_exceeded, ErrorKind::budget_reserved, ErrorKind::budget_exceeded}) {
    if (outcome.error_label == contract_code(kind)) return true;
  }
  return false;
}

}  // namespace

bool Denials::merge(const Outcome& outcome) noexcept {
  if (!is_refusal(outcome)) return false;
  const auto second = std::chrono::floor<std::chrono::seconds>(outcome.ended_at);
  const std::lock_guard lock(mutex_);
  Window& window = windows_[outcome.key_id];
  if (window.second != second) window = {.second = second};
  if (++window.calls <= told_apart) return false;
  const auto [place, first] =
      merged_.try_emplace({second, outcome.key_id, outcome.model, outcome.error}, outcome);
  if (first) return true;
  Outcome& row = place->second;
  ++row.count;
  row.ended_at = std::max(row.ended_at, outcome.ended_at);
  // What is not true of all of them is true of none.
  if (row.user != outcome.user) row.user.clear();
  if (row.tags != outcome.tags) row.tags.clear();
  if (row.client_request_id != outcome.client_request_id) row.client_request_id.clear();
  return true;
}

std::vector<Outcome> Denials::collect(SystemTime now) {
  std::vector<Outcome> rows;
  const auto until = std::chrono::floor<std::chrono::seconds>(now);
  const std::lock_guard lock(mutex_);
  const auto end = merged_.lower_bound({until, {}, {}, {}});
  for (auto each = merged_.begin(); each != end; each = merged_.erase(each))
    rows.push_back(std::move(each->second));
  std::erase_if(windows_, [&](const auto& each) { return each.second.second < until; });
  return rows;
}

}  // namespace tollgate::app
