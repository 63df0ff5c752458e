// Vault: what money and limits stand on, made once a process and kept over reloads: the store, the
// ledger, what has been learned of models' tokens. Opened before the first plan serves; control
// thread, but for what `treasury` names.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "gateway/app/log.hpp"
#include "gateway/app/plan.hpp"
#include "gateway/app/reply_link.hpp"
#include "gateway/app/store_link.hpp"
#include "gateway/core/clock.hpp"
#include "policies/idempotency/memo_file.hpp"
#include "policies/idempotency/table.hpp"
#include "policies/ledger/ledger.hpp"
#include "policies/spending.hpp"

namespace tollgate::app {

class Vault {
 public:
  /// Opens journal, database and store, and reads what was spent before. Error: one sentence.
  static Result<std::unique_ptr<Vault>> open(const config::Config& config, Log& log);
  ~Vault();
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  /// Finds the plan's scopes their balances; what the ledger knows of new ones is restored.
  void prepare(Plan& plan);
  /// Redis lost its data: called (on any thread) when the sums are to be read again, see `reread`.
  void when_lost(std::function<void()> lost) { lost_ = std::move(lost); }
  /// Reads again what was spent, behind the rows that wait; then calls `done`, on another thread.
  void reread(std::function<void()> done);
  /// What was reread fills the store once more.
  void refill(const Plan& plan);
  /// What a reload may change.
  void apply(const config::Config& config);
  void start();
  /// Writes out what the ledger still holds.
  void stop();

  [[nodiscard]] policies::Treasury treasury() {
    return {.store = *store_,
            .estimates = estimates_,
            .ledger = ledger_.get(),
            .store_outlives = place_ != nullptr};
  }
  [[nodiscard]] ledger::Ledger& ledger() { return *ledger_; }
  [[nodiscard]] policies::IdempotencyTable& idempotency() { return idempotency_; }
  [[nodiscard]] Store& store() { return *store_; }
  /// Where limits and budgets are kept; nullptr: in this process.
  [[nodiscard]] StorePlace* place() { return place_.get(); }
  /// Where replies are kept beyond this process.
  [[nodiscard]] ReplyPlaces& replies() { return *replies_; }

 private:
  Vault() = default;
  Result<void> open_store(const config::StoreConfig& config, bool shared_ledger, Log& log);
  void restore(const Plan& plan, const std::vector<const Scope*>& scopes);
  Result<void> open_memo(const config::Config& config);

  Clock clock_;
  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<ReplyPlaces> replies_;
  std::unique_ptr<policies::MemoFile> memo_;
  policies::IdempotencyTable idempotency_{clock_};
  policies::TokenEstimates estimates_;
  std::unique_ptr<ledger::Ledger> ledger_;
  // Spending before this process began, by hour: a scope that a reload brings may have some.
  ledger::Ledger::Hours history_;
  std::mutex reread_mutex_;
  ledger::Ledger::Hours reread_;
  SystemTime reread_at_{};
  std::function<void()> lost_;
};

}  // namespace tollgate::app
