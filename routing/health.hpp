// TargetHealth: what is known of one upstream model at one provider: its breaker, how long it takes
// to a first token, its calls in flight, and which of our keys there must rest. One object for each
// (provider, upstream model), shared by all workers and kept over reloads. A healthy target costs a
// call a few atomic operations; the lock is for changes of state only. Any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/clock.hpp"
#include "routing/availability.hpp"
#include "routing/count_window.hpp"
#include "routing/peak_latency.hpp"
#include "routing/provider_limit.hpp"

namespace tollgate::routing {

/// `breaker:` of a model. Where several models share a target, the strictest of each holds.
struct BreakerRules {
  std::uint32_t failures = 5;  ///< in a row
  std::chrono::milliseconds open_for{30000};
  std::uint32_t error_permille = 500;  ///< of at least 20 calls within `window`
  std::chrono::milliseconds window{10000};
  std::chrono::milliseconds max_open_for{300000};
  std::chrono::milliseconds slow_start{10000};
  bool operator==(const BreakerRules&) const = default;
  [[nodiscard]] BreakerRules stricter(const BreakerRules& other) const;
};

enum class BreakerState : std::uint8_t { closed, slow_start, half_open, open };
[[nodiscard]] std::string_view to_string(BreakerState state);

/// A breaker opened, or closed again: for the log. Called with locks held, on any thread.
struct BreakerChange {
  std::string_view provider, model;
  std::string_view reason;                ///< empty: it closed
  std::chrono::milliseconds open_for{0};  ///< until a call tries again
};
using BreakerListener = std::function<void(const BreakerChange&)>;

/// What an attempt says about the target that it went to.
enum class Verdict : std::uint8_t {
  nothing,       ///< the client left, or the fault was ours
  good,          ///< it answered; a refusal of this one request is an answer too
  failed,        ///< it is ill: 5xx, no connection, a broken stream, too slow
  rate_limited,  ///< 429: the key must rest
  no_credit,     ///< the key's purse is empty
  bad_key,       ///< it refused the key
};

class TargetHealth {
 public:
  static constexpr std::uint32_t foreign_key = ~std::uint32_t{0};  ///< the tenant's own

  /// `limit`: of the provider; nullptr: none.
  TargetHealth(std::string provider, std::string model, std::size_t keys,
               std::shared_ptr<ProviderLimit> limit = nullptr);
  void set_rules(const BreakerRules& rules,
                 std::shared_ptr<const BreakerListener> listener = nullptr);

  /// Whether a call of so many tokens could go there now with any of our keys.
  [[nodiscard]] Availability look(SteadyTime now, std::uint64_t tokens = 0) const;
  /// The same with a key that is not ours.
  [[nodiscard]] Availability breaker(SteadyTime now) const;
  /// The key that the next call should use: in turns, those that rest left out.
  [[nodiscard]] std::uint32_t next_key(SteadyTime now);
  /// That key, or the next one that does not rest.
  [[nodiscard]] std::uint32_t key_from(std::uint64_t first, SteadyTime now) const;
  /// Whether a call with that key could go there.
  [[nodiscard]] Availability with_key(std::uint32_t key, SteadyTime now) const;
  [[nodiscard]] bool key_rests(std::uint32_t key, SteadyTime now) const;
  /// The provider said that nothing is left of that key's limits until then: others go first.
  void spare_key(std::uint32_t key, SteadyTime until) noexcept;
  /// All its keys are to be spared: what else there is goes first.
  [[nodiscard]] bool spared(SteadyTime now) const;
  /// Right after an outage: whether this call, whose lot is `lot` (0 to 1023), belongs to the
  /// growing share that goes there first.
  [[nodiscard]] bool takes(std::uint32_t lot, SteadyTime now) const;

  /// Takes a place for an attempt with that key, or says why not: one reason is that others wait
  /// for it.
  std::optional<Pass> enter(std::uint32_t key, SteadyTime now, Availability& refused,
                            std::uint64_t tokens = 0);
  /// The same for the one whose turn it is.
  std::optional<Pass> enter_in_turn(std::uint32_t key, SteadyTime now, Availability& refused,
                                    std::uint64_t tokens);
  /// The first content is there: a probe has been answered.
  void first_token(Pass& pass, std::chrono::nanoseconds took, SteadyTime now) noexcept;
  /// It has been silent for that long, which is all that is known.
  void silent_for(std::chrono::nanoseconds waited, SteadyTime now) noexcept {
    if (static_cast<double>(waited.count()) > latency_.at(now)) latency_.observe(waited, now);
  }
  struct Report {
    Verdict verdict = Verdict::nothing;
    std::optional<std::chrono::milliseconds> retry_after = {};
    std::optional<std::uint64_t> tokens = {};  ///< what it used, where that is known
    std::string_view error = {};               ///< a short code, for people
  };
  void leave(const Pass& pass, const Report& report, SteadyTime now) noexcept;
  /// An active probe would say something new: it is shut, or nobody has called it of late.
  [[nodiscard]] bool wants_probe(SteadyTime now) const;
  /// An active probe found it alive, or not: an open breaker closes, or stays open; of one without
  /// calls a failure counts as one. True when it closed.
  bool probed(bool alive, SteadyTime now);

  [[nodiscard]] std::uint32_t in_flight() const {
    return in_flight_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] const PeakLatency& latency() const { return latency_; }
  [[nodiscard]] const std::string& provider() const { return provider_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  /// nullptr: its provider's calls are not counted.
  [[nodiscard]] const std::shared_ptr<ProviderLimit>& limit() const { return limit_; }

  /// For people.
  struct Snapshot {
    BreakerState state = BreakerState::closed;
    std::string reason;                     ///< why it opened
    std::chrono::nanoseconds reopens_in{};  ///< until the next probe, where open
    std::chrono::nanoseconds latency{};
    std::uint32_t in_flight = 0;
    std::vector<std::chrono::nanoseconds> keys_rest;  ///< 0: that key is ready
    std::string last_error;
    std::chrono::nanoseconds last_error_ago{-1};
    std::uint64_t opened = 0;  ///< how often
  };
  [[nodiscard]] Snapshot snapshot(SteadyTime now) const;

 private:
  [[nodiscard]] Availability keys(SteadyTime now) const;
  void next_in_line(SteadyTime now) noexcept;
  bool note_probe(bool alive, SteadyTime now);
  Availability enter_troubled(Pass& pass, SteadyTime now);
  void on_success(bool probe, SteadyTime now);
  void on_failure(const Pass& pass, const Report& report, SteadyTime now);
  void on_bad_key(const Pass& pass, const Report& report, SteadyTime now);
  void rest(std::uint32_t key, SteadyTime until, bool bad) noexcept;
  void give_up_probe();
  void settle(const Pass& pass, const Report& report, SteadyTime now) noexcept;
  // With the lock:
  void note_error(std::string_view error, SteadyTime now);
  void open(std::string_view reason, SteadyTime now);
  void close(SteadyTime now);

  const std::string provider_, model_;
  // What a call looks at.
  std::atomic<BreakerState> state_{BreakerState::closed};
  std::atomic<std::uint32_t> failures_{0};  // in a row
  std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<SteadyTime::rep> any_key_rests_until_;
  PeakLatency latency_;
  CountWindow window_;  // marked: failures
  std::atomic<std::uint32_t> turn_{0};
  struct Key {
    std::atomic<SteadyTime::rep> rests_until, spared_until;
    Key();
  };
  std::atomic<SteadyTime::rep> any_key_spared_until_;
  std::vector<Key> keys_;
  const std::shared_ptr<ProviderLimit> limit_;
  // What changes of state look at.
  mutable std::mutex mutex_;
  BreakerRules rules_;
  std::shared_ptr<const BreakerListener> listener_;
  SteadyTime open_until_{}, warm_from_{};
  std::chrono::milliseconds open_for_{0};  // of the last outage, 0 when it is long past
  bool probing_ = false;
  std::string reason_, last_error_;
  SteadyTime last_error_at_{};
  bool seen_error_ = false;
  std::uint64_t opened_ = 0;
};

}  // namespace tollgate::routing
