#include "routing/health.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Ticks = SteadyTime::rep;

constexpr std::uint64_t least_calls = 20;  // before a share of failures says anything
/// While a probe is under way nobody knows when it ends; who asks is told to come back soon.
constexpr auto probe_takes = std::chrono::seconds(1);
/// A provider that asks for more may mean it; finding out costs one call an hour.
constexpr auto longest_rest = std::chrono::hours(1);
constexpr auto usual_rest = std::chrono::seconds(1);
constexpr auto never_rested = std::numeric_limits<Ticks>::min();

// When a key's rest ends; odd where the key is no good at all.
Ticks rest_mark(SteadyTime until, bool bad) {
  const Ticks even = until.time_since_epoch().count() & ~Ticks{1};
  return bad ? even | 1 : even;
}
bool is_bad(Ticks mark) { return (mark & 1) != 0; }
SteadyTime time_at(Ticks ticks) { return SteadyTime(SteadyTime::duration(ticks)); }

void raise(std::atomic<Ticks>& value, Ticks to) {
  Ticks old = value.load(std::memory_order_relaxed);
  while (old < to && !value.compare_exchange_weak(old, to, std::memory_order_relaxed)) {
  }
}

}  // namespace

BreakerRules BreakerRules::stricter(const BreakerRules& other) const {
  return {.failures = std::min(failures, other.failures),
          .open_for = std::max(open_for, other.open_for),
          .error_permille = std::min(error_permille, other.error_permille),
          .window = std::max(window, other.window),
          .max_open_for = std::max(max_open_for, other.max_open_for),
          .slow_start = std::max(slow_start, other.slow_start)};
}

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::slow_start:
      return "slow_start";
    case BreakerState::half_open:
      return "half_open";
    case BreakerState::open:
      return "open";
  }
  return "";
}

TargetHealth::Key::Key() : rests_until(never_rested), spared_until(never_rested) {}

TargetHealth::TargetHealth(std::string provider, std::string model, std::size_t keys,
                           std::shared_ptr<ProviderLimit> limit)
    : provider_(std::move(provider)),
      model_(std::move(model)),
      any_key_rests_until_(never_rested),
      any_key_spared_until_(never_rested),
      keys_(std::max<std::size_t>(keys, 1)),
      limit_(std::move(limit)) {}

void TargetHealth::set_rules(const BreakerRules& rules,
                             std::shared_ptr<const BreakerListener> listener) {
  const std::scoped_lock lock(mutex_);
  rules_ = rules;
  listener_ = std::move(listener);
  window_.set_length(rules.window);
}

Availability TargetHealth::look(SteadyTime now, std::uint64_t tokens) const {
  Availability seen = breaker(now);
  if (seen.usable()) seen = keys(now);
  if (seen.usable() && limit_) seen = limit_->look(tokens, now);
  return seen;
}

Availability TargetHealth::breaker(SteadyTime now) const {
  const BreakerState state = state_.load(std::memory_order_relaxed);
  if (state == BreakerState::closed || state == BreakerState::slow_start) return {};
  const std::scoped_lock lock(mutex_);
  if (probing_) return {Rest::broken, now + probe_takes};
  if (now < open_until_) return {Rest::broken, open_until_};
  return {};
}

Availability TargetHealth::keys(SteadyTime now) const {
  const Ticks ticks = now.time_since_epoch().count();
  if (any_key_rests_until_.load(std::memory_order_relaxed) <= ticks) return {};
  Ticks soonest = std::numeric_limits<Ticks>::max();
  bool all_bad = true;
  for (const Key& key : keys_) {
    const Ticks mark = key.rests_until.load(std::memory_order_relaxed);
    if (mark <= ticks) return {};
    all_bad = all_bad && is_bad(mark);
    soonest = std::min(soonest, mark);
  }
  return {all_bad ? Rest::broken : Rest::limited, time_at(soonest)};
}

bool TargetHealth::key_rests(std::uint32_t key, SteadyTime now) const {
  const Ticks ticks = now.time_since_epoch().count();
  if (any_key_rests_until_.load(std::memory_order_relaxed) <= ticks) return false;
  return key < keys_.size() && keys_[key].rests_until.load(std::memory_order_relaxed) > ticks;
}

bool TargetHealth::spared(SteadyTime now) const {
  const Ticks ticks = now.time_since_epoch().count();
  if (any_key_spared_until_.load(std::memory_order_relaxed) <= ticks) return false;
  return std::ranges::all_of(keys_, [ticks](const Key& key) {
    return std::max(key.rests_until.load(std::memory_order_relaxed),
                    key.spared_until.load(std::memory_order_relaxed)) > ticks;
  });
}

void TargetHealth::spare_key(std::uint32_t key, SteadyTime until) noexcept {
  if (key >= keys_.size()) return;
  const Ticks ticks = until.time_since_epoch().count();
  raise(keys_[key].spared_until, ticks);
  raise(any_key_spared_until_, ticks);
}

std::uint32_t TargetHealth::next_key(SteadyTime now) {
  if (keys_.size() == 1) return 0;
  return key_from(turn_.fetch_add(1, std::memory_order_relaxed), now);
}

std::uint32_t TargetHealth::key_from(std::uint64_t first, SteadyTime now) const {
  const std::size_t count = keys_.size();
  const Ticks ticks = now.time_since_epoch().count();
  std::optional<std::uint32_t> spared;
  for (std::size_t i = 0; i < count; ++i) {
    const auto key = static_cast<std::uint32_t>((first + i) % count);
    if (key_rests(key, now)) continue;
    if (keys_[key].spared_until.load(std::memory_order_relaxed) <= ticks) return key;
    if (!spared) spared = key;
  }
  return spared.value_or(static_cast<std::uint32_t>(first % count));
}

bool TargetHealth::takes(std::uint32_t lot, SteadyTime now) const {
  if (state_.load(std::memory_order_relaxed) != BreakerState::slow_start) return true;
  constexpr double lots = 1024, least = 0.1;
  const std::scoped_lock lock(mutex_);
  const nanoseconds all = rules_.slow_start, warm = now - warm_from_;
  if (warm >= all) return true;
  const double share = static_cast<double>(warm.count()) / static_cast<double>(all.count());
  return lot < lots * std::max(share, least);
}

Availability TargetHealth::with_key(std::uint32_t key, SteadyTime now) const {
  if (!key_rests(key, now)) return breaker(now);
  const Ticks mark = keys_[key].rests_until.load(std::memory_order_relaxed);
  return {is_bad(mark) ? Rest::broken : Rest::limited, time_at(mark)};
}

std::optional<Pass> TargetHealth::enter(std::uint32_t key, SteadyTime now, Availability& refused,
                                        std::uint64_t tokens) {
  if (limit_ && limit_->line().blocked() && key != foreign_key) {
    refused = WaitingLine::behind(now);
    return std::nullopt;
  }
  return enter_in_turn(key, now, refused, tokens);
}

std::optional<Pass> TargetHealth::enter_in_turn(std::uint32_t key, SteadyTime now,
                                                Availability& refused, std::uint64_t tokens) {
  Pass pass{.key = key, .probe = false, .counted = false, .tokens = tokens};
  refused = {};
  if (key_rests(key, now)) {
    refused = with_key(key, now);
  } else if (state_.load(std::memory_order_relaxed) != BreakerState::closed) {
    refused = enter_troubled(pass, now);
  }
  if (refused.usable() && limit_ && limit_->limited() && key != foreign_key) {
    refused = limit_->take(tokens, now);
    pass.counted = refused.usable();
    if (!pass.counted && pass.probe) give_up_probe();
  }
  if (!refused.usable()) return std::nullopt;
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  return pass;
}

Availability TargetHealth::enter_troubled(Pass& pass, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  const BreakerState state = state_;
  if (state == BreakerState::slow_start && now >= warm_from_ + rules_.slow_start) {
    state_ = BreakerState::closed;
    open_for_ = milliseconds(0);
  }
  if (state == BreakerState::closed || state == BreakerState::slow_start) return {};
  if (probing_) return {Rest::broken, now + probe_takes};
  if (now < open_until_) return {Rest::broken, open_until_};
  state_ = BreakerState::half_open;
  pass.probe = probing_ = true;
  return {};
}

void TargetHealth::first_token(Pass& pass, nanoseconds took, SteadyTime now) noexcept {
  latency_.observe(took, now);
  if (std::exchange(pass.probe, false)) on_success(true, now);
  if (!pass.counted) return;
  limit_->first_token(took);
  next_in_line(now);  // it may have found more places
}

void TargetHealth::leave(const Pass& pass, const Report& report, SteadyTime now) noexcept {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  settle(pass, report, now);
  if (pass.counted) {
    limit_->give_back(pass.tokens, report.tokens.value_or(pass.tokens), now);
  }
  next_in_line(now);
}

void TargetHealth::next_in_line(SteadyTime now) noexcept {
  if (limit_ && limit_->line().size() > 0) limit_->line().serve(now);
}

void TargetHealth::settle(const Pass& pass, const Report& report, SteadyTime now) noexcept {
  const bool ours = pass.key != foreign_key;
  switch (report.verdict) {
    case Verdict::good:
      return on_success(pass.probe, now);
    case Verdict::failed:
      if (pass.counted) limit_->failed();
      return on_failure(pass, report, now);
    case Verdict::rate_limited:
      if (ours) {
        const nanoseconds asked = report.retry_after.value_or(usual_rest);
        rest(pass.key, now + std::min<nanoseconds>(asked, longest_rest), false);
      }
      return on_success(pass.probe, now);
    case Verdict::no_credit:
    case Verdict::bad_key:
      return ours ? on_bad_key(pass, report, now) : on_success(pass.probe, now);
    case Verdict::nothing:
      break;
  }
  if (pass.probe) give_up_probe();
}

void TargetHealth::give_up_probe() {
  const std::scoped_lock lock(mutex_);
  probing_ = false;
  state_ = BreakerState::open;  // its time is over: the next call is the probe
}

void TargetHealth::on_success(bool probe, SteadyTime now) {
  window_.count(1, 0, now);
  if (failures_.load(std::memory_order_relaxed) != 0) {
    failures_.store(0, std::memory_order_relaxed);
  }
  if (!probe) return;
  const std::scoped_lock lock(mutex_);
  close(now);
}

void TargetHealth::on_failure(const Pass& pass, const Report& report, SteadyTime now) {
  window_.count(1, 1, now);
  const std::scoped_lock lock(mutex_);
  note_error(report.error, now);
  if (pass.probe) return open(report.error, now);
  const BreakerState state = state_;
  // Calls that began before it opened say nothing new.
  if (state == BreakerState::open || state == BreakerState::half_open) return;
  const std::uint32_t in_a_row = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  const CountWindow::Sum recent = window_.sum(now);
  const bool too_many =
      recent.calls >= least_calls && recent.marked * 1000 >= recent.calls * rules_.error_permille;
  if (in_a_row >= rules_.failures || too_many) open(report.error, now);
}

/// Another key may do; with none left the target is as good as dead.
void TargetHealth::on_bad_key(const Pass& pass, const Report& report, SteadyTime now) {
  {
    const std::scoped_lock lock(mutex_);
    note_error(report.error, now);
    if (keys_.size() == 1) {
      const bool shut = state_ == BreakerState::open || state_ == BreakerState::half_open;
      return pass.probe || !shut ? open(report.error, now) : void();
    }
    rest(pass.key, now + rules_.max_open_for, true);
  }
  on_success(pass.probe, now);
}

void TargetHealth::rest(std::uint32_t key, SteadyTime until, bool bad) noexcept {
  if (key >= keys_.size()) return;
  const Ticks mark = rest_mark(until, bad);
  raise(keys_[key].rests_until, mark);
  raise(any_key_rests_until_, mark);
}

bool TargetHealth::wants_probe(SteadyTime now) const {
  const BreakerState state = state_.load(std::memory_order_relaxed);
  if (state == BreakerState::open) return true;
  return state == BreakerState::closed && in_flight() == 0 && window_.sum(now).calls == 0;
}

bool TargetHealth::probed(bool alive, SteadyTime now) {
  const bool closed = note_probe(alive, now);
  if (closed) next_in_line(now);
  return closed;
}

bool TargetHealth::note_probe(bool alive, SteadyTime now) {
  constexpr std::string_view reason = "probe_failed";
  const std::scoped_lock lock(mutex_);
  const BreakerState state = state_;
  if (state == BreakerState::half_open || state == BreakerState::slow_start) return false;
  if (alive) {
    failures_.store(0, std::memory_order_relaxed);
    if (state == BreakerState::open) close(now);
    return state == BreakerState::open;
  }
  note_error(reason, now);
  if (state == BreakerState::closed) {
    if (failures_.fetch_add(1, std::memory_order_relaxed) + 1 >= rules_.failures) open(reason, now);
  } else if (now >= open_until_) {
    open(reason, now);
  }
  return false;
}

void TargetHealth::note_error(std::string_view error, SteadyTime now) {
  last_error_ = error;
  last_error_at_ = now;
  seen_error_ = true;
}

/// Each outage that follows closely on the last one is taken to be twice as long.
void TargetHealth::open(std::string_view reason, SteadyTime now) {
  open_for_ = open_for_.count() > 0 ? std::min(open_for_ * 2, rules_.max_open_for)
                                    : std::min(rules_.open_for, rules_.max_open_for);
  open_until_ = now + open_for_;
  reason_ = reason;
  probing_ = false;
  ++opened_;
  failures_.store(0, std::memory_order_relaxed);
  window_.clear();
  state_ = BreakerState::open;
  if (listener_) (*listener_)({provider_, model_, reason_, open_for_});
}

void TargetHealth::close(SteadyTime now) {
  probing_ = false;
  warm_from_ = now;
  state_ = BreakerState::slow_start;
  if (listener_) (*listener_)({provider_, model_, {}, {}});
}

TargetHealth::Snapshot TargetHealth::snapshot(SteadyTime now) const {
  const std::scoped_lock lock(mutex_);
  Snapshot seen;
  seen.state = state_;
  if (seen.state == BreakerState::slow_start && now >= warm_from_ + rules_.slow_start) {
    seen.state = BreakerState::closed;
  }
  if (seen.state == BreakerState::open || seen.state == BreakerState::half_open) {
    seen.reason = reason_;
    seen.reopens_in = std::max<nanoseconds>(open_until_ - now, nanoseconds(0));
  }
  seen.latency = latency_.last();
  seen.in_flight = in_flight();
  for (const Key& key : keys_) {
    const Ticks mark = key.rests_until.load(std::memory_order_relaxed);
    const bool rests = mark > now.time_since_epoch().count();
    seen.keys_rest.push_back(rests ? time_at(mark) - now : nanoseconds(0));
  }
  seen.last_error = last_error_;
  if (seen_error_) seen.last_error_ago = now - last_error_at_;
  seen.opened = opened_;
  return seen;
}

}  // namespace tollgate::routing
