// MemoryStore: limits and budgets inside this process, shared by all workers. Each scope has a lock
// of its own, held for the few instructions of a check; a call takes those of its scopes in one
// order, so all of them admit or none is charged.
#pragma once
#include <atomic>
#include <map>
#include <mutex>

#include "gateway/core/clock.hpp"
#include "gateway/core/store.hpp"
#include "policies/store/account_names.hpp"

namespace tollgate::policies {

struct MemoryAccount;
struct MemoryReservation;

class MemoryStore final : public Store {
 public:
  /// `clock` outlives the store.
  explicit MemoryStore(const Clock& clock) : clock_(clock) {}

  bool attach(Scope& scope) override;
  void restore(const Scope& scope, SystemTime when, NanoUsd charged) override;
  Awaitable<Verdict> reserve(const Ask& ask) override;
  Awaitable<std::expected<void, Denial>> extend(Reservation& reservation, NanoUsd total) override;
  Awaitable<std::vector<Crossing>> settle(std::unique_ptr<Reservation> reservation,
                                          const Charge& charge) override;
  Awaitable<Result<std::vector<Reading>>> read(std::span<const Scope* const> scopes,
                                               std::string_view user) override;
  [[nodiscard]] Totals totals() const override;
  /// Nothing to forget: asking again costs no more than remembering.
  void forget_denials() override {}

 private:
  Verdict reserve_now(const Ask& ask);
  std::expected<void, Denial> extend_now(Reservation& reservation, NanoUsd total);
  std::vector<Crossing> settle_now(MemoryReservation& own, const Charge& charge);

  const Clock& clock_;
  std::mutex accounts_mutex_;
  std::map<AccountName, std::shared_ptr<MemoryAccount>> accounts_;
  std::atomic<NanoUsd> reserved_{0}, spent_{0};
};

}  // namespace tollgate::policies
