// Store: the port behind which limits and budgets are kept: one atomic step over all scopes of a
// call to reserve, one to settle. Implemented inside the process (policies/store/memory) and over
// Redis; both are held to the same laws by the same tests. Called on the call's worker; an
// implementation is shared by all workers.
#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/clock.hpp"
#include "gateway/core/front.hpp"
#include "gateway/core/money.hpp"

namespace tollgate {

enum class ScopeKind : std::uint8_t { tenant, key, user, model };
[[nodiscard]] std::string_view to_string(ScopeKind kind);

/// Windows of budgets, UTC; a week begins on Monday; `total` never ends.
enum class Per : std::uint8_t { hour, day, week, month, total };
inline constexpr std::size_t per_count = 5;
[[nodiscard]] std::string_view to_string(Per per);
/// First instant of the window that holds `time`; the epoch for `total`.
[[nodiscard]] SystemTime window_start(Per per, SystemTime time);
/// First instant after it; SystemTime::max() for `total`.
[[nodiscard]] SystemTime window_end(Per per, SystemTime time);

/// 0: no such limit.
struct LimitRule {
  std::uint64_t requests_per_minute = 0, tokens_per_minute = 0;
  std::uint32_t concurrent = 0;
  std::chrono::milliseconds burst{60'000};  ///< how much of a minute a full bucket holds
  bool enforce = true;                      ///< false: counts and warns only (M18)
  [[nodiscard]] bool any() const {
    return requests_per_minute > 0 || tokens_per_minute > 0 || concurrent > 0;
  }
  bool operator==(const LimitRule&) const = default;
};

struct BudgetRule {
  NanoUsd ceiling = 0;
  Per per = Per::month;
  std::optional<std::chrono::sys_seconds>
      since;                                 ///< for `total`: what was spent before is not counted
  std::vector<std::uint32_t> warn_permille;  ///< ascending; 500: half of it is spent
  std::string webhook;
  bool estimate = false;  ///< `reserve: estimate`: soft, holds Ask::estimate in place of the bound
  bool enforce = true;
  bool operator==(const BudgetRule&) const = default;
};

/// What a store keeps with a scope; found once when a plan is built.
struct Account {
  virtual ~Account() = default;
};

/// One place where limits and budgets stand. Built with the plan, immutable while calls run.
/// Balances belong to (kind, tenant, name) and outlive plans.
struct Scope {
  ScopeKind kind = ScopeKind::tenant;
  std::string name;    ///< tenant's or model's name, or the key's id
  std::string tenant;  ///< of a key; of a tenant its own name; empty for a model
  std::string root;    ///< root tenant of the tree; empty for a model
  std::vector<std::string> formerly, former_tenants;  ///< balances follow a rename (M17)
  LimitRule limits;
  std::optional<LimitRule> per_user;  ///< of a tenant: each `user` has buckets of its own
  std::vector<BudgetRule> budgets;    ///< at most one for each `per`
  std::shared_ptr<Account> account;   ///< Store::attach
  /// `tenant:acme`, `key:acme-prod`, `model:gpt-4o-mini`: for denials, headers and logs.
  [[nodiscard]] std::string label() const;
};

/// What a call asks for, before its first attempt. Views live until `reserve` has returned.
struct Ask {
  std::string_view id;                   ///< ours, never the client's
  std::span<const Scope* const> scopes;  ///< key, tenant, its parents upwards, model
  std::string_view user;     ///< for the first scope with `per_user`; empty: the shared one
  std::uint64_t tokens = 0;  ///< an estimate, for token buckets
  NanoUsd bound = 0;         ///< the most that the first attempt can cost
  NanoUsd estimate = 0;      ///< for budgets with `reserve: estimate`
  NanoUsd floor = 0;  ///< bound of the shortest reply it may be cut to (M9); = bound: never cut
};

enum class DenialKind : std::uint8_t {
  requests,
  tokens,
  concurrent,
  budget_reserved,
  budget_exceeded,
  unavailable  ///< the store is away and its `on_error` says deny
};

/// Why nothing was charged (M19).
struct Denial {
  DenialKind kind = DenialKind::requests;
  std::string scope;  ///< Scope::label(), or `user:alice`
  const Scope* of = nullptr;
  std::optional<Per> per;
  std::uint64_t limit = 0, used = 0;             ///< of requests, tokens, concurrent calls
  NanoUsd ceiling = 0, spent = 0, reserved = 0;  ///< of a budget
  SystemTime resets_at{};
  std::chrono::milliseconds retry_after{0};  ///< 0: no time can be named (`per: total`)
};

/// Buckets of the scope with the least share left; limit 0: it has none.
struct Room {
  std::string scope;
  std::uint64_t limit_requests = 0, remaining_requests = 0;
  std::uint64_t limit_tokens = 0, remaining_tokens = 0;
  std::chrono::milliseconds reset_requests{0}, reset_tokens{0};  ///< until the bucket is full
};

/// What a running call holds. Given back to `settle` exactly once; dropped without it: a bug.
struct Reservation {
  virtual ~Reservation() = default;
  SystemTime admitted_at{};  ///< by the store's clock; decides the window (M16)
  NanoUsd held = 0;          ///< below Ask::bound: cut the reply so that its bound fits
};

struct Admitted {
  std::unique_ptr<Reservation> reservation;
  Room room;
  std::string would_deny;  ///< labels of scopes that `enforce: false` kept from denying, by comma
  std::string degraded;    ///< `limits`, `budgets` or both by comma, while the store is away
};
using Verdict = std::expected<Admitted, Denial>;

/// The truth about a call, all attempts together.
struct Charge {
  std::uint64_t tokens = 0;  ///< uncached input + cache writes + output
  NanoUsd charged = 0;
  /// Of it, what the model's scope bears; less where the call went on under another model (M14).
  struct Part {
    std::uint64_t tokens = 0;
    NanoUsd charged = 0;
  };
  std::optional<Part> of_model{};
  [[nodiscard]] Part part_of(ScopeKind kind) const {
    return kind == ScopeKind::model && of_model ? *of_model : Part{tokens, charged};
  }
};

/// A budget has passed one of its `warn_at` steps; each is reported once a window.
struct Crossing {
  const Scope* scope = nullptr;
  BudgetRule budget;
  std::uint32_t permille = 0;
  NanoUsd spent = 0, reserved = 0;
  SystemTime resets_at{};
  std::optional<SystemTime> gone_at;  ///< at the present rate of the window
};

/// One line of GET /v1/usage.
struct Reading {
  std::string scope;
  bool budget = false;
  std::string per;   ///< `day`; of limits `minute`, or empty (concurrent)
  std::string what;  ///< `usd`, `requests`, `tokens`, `concurrent`
  std::uint64_t limit = 0, used = 0, reserved = 0;  ///< nano-dollars of a budget
  std::optional<SystemTime> resets_at;
};

struct Store {
  virtual ~Store() = default;
  /// Finds or makes the scope's balances; while a plan is built, on any thread. True: it was new
  /// (or came by a former name), so what the ledger knows of it is still to be restored.
  virtual bool attach(Scope& scope) = 0;
  /// Before it serves calls: what was charged to an attached scope by a call admitted at `when`
  /// (exact to the hour). May be called many times a scope.
  virtual void restore(const Scope& scope, SystemTime when, NanoUsd charged) = 0;
  /// All scopes admit and are charged, or none is (M1, M9, M14, M15).
  virtual Awaitable<Verdict> reserve(const Ask& ask) = 0;
  /// Raises what is held to `total` (costs of ended attempts + the next one's bound) in all
  /// budgets, or changes nothing. Never lowers.
  virtual Awaitable<std::expected<void, Denial>> extend(Reservation& reservation,
                                                        NanoUsd total) = 0;
  /// Once: the true figures replace what was held (M13), the place is free again.
  virtual Awaitable<std::vector<Crossing>> settle(std::unique_ptr<Reservation> reservation,
                                                  const Charge& charge) = 0;
  virtual Awaitable<Result<std::vector<Reading>>> read(std::span<const Scope* const> scopes,
                                                       std::string_view user) = 0;
  /// Sums over tenant scopes without a parent, for `tollgate_reserved_usd` and
  /// `tollgate_spent_usd` (since the process began). A reservation of model scopes alone stands
  /// beside one that counts.
  struct Totals {
    NanoUsd reserved = 0, spent = 0;
  };
  [[nodiscard]] virtual Totals totals() const = 0;
  /// Denials remembered on the worker are forgotten (reload).
  virtual void forget_denials() = 0;
};

}  // namespace tollgate
