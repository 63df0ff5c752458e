// Spending: one call's purse, from its admission to its settlement. Reserves in every scope before
// the first byte goes upstream, asks for more before another attempt, prices what each attempt
// came to, and settles once. Owned by the call, on its worker.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/attempt.hpp"
#include "gateway/core/rare.hpp"
#include "gateway/core/store.hpp"
#include "policies/keys.hpp"
#include "policies/ledger/ledger.hpp"
#include "policies/money/bound.hpp"
#include "policies/money/estimate.hpp"
#include "policies/money/tariff.hpp"
#include "policies/scopes.hpp"

namespace tollgate::policies {

/// What all calls share; outlives them.
struct Treasury {
  Store& store;
  TokenEstimates& estimates;
  ledger::Ledger* ledger = nullptr;  ///< absent in tests that look at nothing but the store
  bool store_outlives = false;       ///< it is not in this process
};

/// What the plan says about one call.
struct SpendingTerms {
  const Tariffs& tariffs;
  config::UnknownPrice unknown = config::UnknownPrice::deny;
  const Key& key;
  const ScopeChain* model = nullptr;    ///< of the model that it runs under
  std::uint32_t clip_min_tokens = 256;  ///< 0: never cut
};

/// What another model must be, to be gone on with.
struct GoingOn {
  std::uint64_t window_above = 0;  ///< tokens: its window, where known, is larger
  std::optional<NanoUsd> at_most;  ///< no dearer (M10)
};

class Spending {
 public:
  Spending(Treasury& treasury, Call& call) : treasury_(treasury), call_(call) {}
  ~Spending();
  Spending(const Spending&) = delete;
  Spending& operator=(const Spending&) = delete;

  /// First, once the model is known (again after a downgrade). `view` outlives the call; its output
  /// limit is set here and by `prepare`.
  void consider(const SpendingTerms& terms, wire::RequestView& view);
  /// Before a target's encode: the limit that must be sent there (M4).
  void prepare(const AttemptTarget& target);
  /// Reserves the first attempt in all scopes. True: the output limit was cut, encode again.
  /// Errors: 429 of a limit or a budget, 400 model_unpriced, 400 for a missing limit, 503.
  Awaitable<Result<bool>> admit(const AttemptTarget& target);
  /// In place of `admit`, where the call goes on under another model (after `consider` with its
  /// terms): that model's scopes admit and hold what an attempt there may cost. Error: why it
  /// cannot; the call may try yet another model.
  Awaitable<Result<void>> go_on(const AttemptTarget& target, GoingOn how);
  /// In place of `admit`, for a call that no provider will see: counts a request in all scopes, no
  /// tokens and no money. Errors: as of `admit`.
  Awaitable<Result<void>> admit_uncharged(const Key& key, const ScopeChain& model);
  /// Before an attempt is sent: its bound is held and its intent is in the journal, or it must not
  /// be sent. `attempt` is the last of the outcome's.
  Awaitable<Result<void>> begin(const AttemptTarget& target, AttemptOutcome& attempt);
  /// Bytes of text from which on a reply has passed the limit that was sent, however it is counted;
  /// the most there is where none was sent.
  [[nodiscard]] std::uint64_t text_most() const { return text_most_; }
  /// The reply under way has passed that: holds as much again. False: it must be cut (M4).
  [[gnu::noinline]] Awaitable<bool> stretch();
  /// What it came to.
  void end(AttemptOutcome& attempt, const AttemptEnd& how) noexcept;
  /// Once, on every path. Budgets that crossed a `warn_at` step are to be told about.
  Awaitable<std::vector<Crossing>> settle();

  /// What the attempt under way would cost with this usage, if the reply names this model; nullopt:
  /// its price is unknown.
  [[nodiscard]] std::optional<NanoUsd> cost_so_far(const Usage& usage,
                                                   std::string_view reply_model) const;
  /// The scope that denied may be asked for a cheaper model: its tenant's setting.
  [[nodiscard]] const std::optional<Denial>& denial() const { return denial_; }
  [[nodiscard]] const Room& room() const { return room_; }
  [[nodiscard]] const std::string& would_deny() const { return would_deny_; }
  [[nodiscard]] const std::string& degraded() const { return degraded_; }
  /// The limit that a nearly spent budget cut the reply to; 0: none.
  [[nodiscard]] std::uint64_t cut_to() const { return cut_to_; }
  [[nodiscard]] bool under_budget() const;
  [[nodiscard]] bool admitted() const { return admitted_; }
  /// Of the target that was looked at last: what its attempt is bound to, and its window (0: not
  /// known).
  [[nodiscard]] NanoUsd bound() const { return current_.bound.total; }
  [[nodiscard]] std::uint64_t window() const {
    return current_.tariff.context_window().value_or(0);
  }
  /// A provider may have billed an attempt, whether or not its price is known.
  [[nodiscard]] bool spent() const { return spent_; }

 private:
  struct Priced {
    Tariff tariff;
    Bound bound;
  };

  [[nodiscard]] bool under_bound() const;
  [[nodiscard]] Priced price(const AttemptTarget& target);
  void take_target(const AttemptTarget& target);
  [[nodiscard]] Tariff tariff(std::string_view provider, std::string_view kind,
                              std::string_view model) const;
  Result<bool> taken(Verdict verdict);
  [[nodiscard]] std::optional<Tariff> named_tariff(std::string_view reply_model) const;
  [[nodiscard]] Result<void> may_be_paid(const Priced& priced) const;
  [[nodiscard]] Ask ask_for(const AttemptTarget& target) const;
  bool take(Admitted admitted);
  bool cut_to_fit(NanoUsd money);
  Awaitable<Result<void>> extend();
  void expect_text();
  Awaitable<Result<void>> hold_more(const AttemptTarget& target);
  [[nodiscard]] Result<void> may_go_on(const AttemptTarget& target) const;
  void note_charge(std::uint64_t tokens, NanoUsd charged) noexcept;

  Treasury& treasury_;
  Call& call_;
  std::optional<SpendingTerms> terms_;
  wire::RequestView* view_ = nullptr;
  std::vector<const Scope*> scopes_;
  RequestFacts facts_;
  /// An attempt that was still under way when another one began.
  struct Beside {
    Priced priced;
    std::string_view provider, kind, host, model;
    std::uint64_t body_bytes = 0;
    std::optional<std::size_t> attempt;
  };
  void set_aside();
  void change_over();
  void settle_current(AttemptOutcome& attempt, const AttemptEnd& how) noexcept;
  void take_back();

  /// Of the target that was priced last: it is asked for before and after its encode.
  struct Looked {
    std::string_view provider, kind, model;
    Tariff tariff;
  };
  std::optional<Looked> looked_;

  std::optional<std::size_t> under_way_;  // of the outcome's attempts: which is `current_`
  Rare<Beside> beside_;
  bool any_ended_ = false;
  Priced current_;
  std::string_view current_provider_, current_kind_, current_model_, current_host_;
  std::uint64_t body_bytes_ = 0;
  std::unique_ptr<Reservation> reservation_;
  std::optional<Denial> denial_;
  Room room_;
  std::string would_deny_, degraded_;
  std::uint64_t cut_to_ = 0;
  std::uint64_t text_most_ = UINT64_MAX;
  bool admitted_ = false, begun_ = false, spent_ = false;
  Charge charge_;

  /// Another model's scopes, and what its attempts came to.
  struct Further {
    std::unique_ptr<Reservation> reservation;
    Charge charge;
  };
  std::vector<Further> further_;
  GoingOn going_on_;          // what every target of another model must be
  bool moved_ = false;        // the call has left the model that admitted it
  Further* under_ = nullptr;  // of further_: the model that it runs under now, where it has any
};

}  // namespace tollgate::policies
