// Turns: which of a call's targets is asked next, and when. Each target once, in order and at once;
// then again those whose failure may pass, the one that may be asked first. One a call, on its
// worker; keeps nothing until an attempt has failed.
#pragma once
#include <optional>
#include <vector>

#include "routing/retry.hpp"
#include "routing/target.hpp"

namespace tollgate::routing {

class Turns {
 public:
  struct Turn {
    std::size_t target = 0;
    SteadyTime at{};  ///< not before
    bool repeat = false;
  };

  struct Failure {
    const Error& error;
    Phase phase = Phase::connecting;
    bool begun = true;  ///< false: it could not even be encoded or paid
  };

  /// `call_id` outlives this and makes the call's random waits.
  Turns(std::vector<Target> targets, const RetryRules& rules, std::string_view call_id)
      : targets_(std::move(targets)), rules_(rules), call_id_(call_id) {}

  [[nodiscard]] const Target& target(std::size_t index) const { return targets_[index]; }
  [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }

  /// Whose turn it is; a repeat takes its part of the target's budget. nullopt: no target may be
  /// asked (again).
  [[nodiscard]] std::optional<Turn> next(SteadyTime now);

  /// It is that target's turn, whatever the order says.
  Turn call(std::size_t target);
  /// The next target that was never asked, where it is another place than `target`; it counts as
  /// asked once it is taken.
  [[nodiscard]] std::optional<std::size_t> other_than(std::size_t target);
  void take(std::size_t target) { fresh_ = target + 1; }

  /// The attempt at `target` has failed.
  void failed(std::size_t target, const Failure& failure, SteadyTime now);

  /// A repeat was left out because of its target's budget.
  [[nodiscard]] bool over_budget() const { return over_budget_; }
  /// Attempts at that target that have failed.
  [[nodiscard]] std::uint32_t tries(std::size_t target) const {
    return states_.empty() ? 0 : states_[target].tries;
  }

 private:
  struct State {
    std::uint32_t tries = 0;
    bool may_repeat = false;
    bool of_the_key = false;  ///< another key of the same target may do better
    SteadyTime ready_at{};
  };

  [[nodiscard]] bool is_spent(std::size_t target) const;
  [[nodiscard]] std::chrono::milliseconds wait_after(const Error& error, std::uint32_t tries) const;

  std::vector<Target> targets_;
  RetryRules rules_;
  std::string_view call_id_;
  bool over_budget_ = false;
  std::size_t fresh_ = 0;  // the first that was never asked
  std::vector<State> states_;
};

}  // namespace tollgate::routing
