#include "gateway/app/vault.hpp"

#include <algorithm>

#include "policies/store/memory.hpp"

namespace tollgate::app {

Result<std::unique_ptr<Vault>> Vault::open(const config::Config& config, Log& log) {
  std::unique_ptr<Vault> vault(new Vault);
  vault->store_ = std::make_unique<policies::MemoryStore>(vault->clock_);
  auto ledger = ledger::Ledger::open(config.ledger,
                                     [&log](std::string_view severity, const std::string& message) {
                                       if (severity == "error") return log.error(message);
                                       severity == "warn" ? log.warn(message) : log.info(message);
                                     });
  if (!ledger) return std::unexpected(ledger.error());
  vault->ledger_ = std::move(*ledger);
  auto read = vault->ledger_->hours(
      SystemTime{}, [&vault](const ledger::HourSum& sum) { vault->history_.push_back(sum); });
  if (!read) return std::unexpected(read.error());
  return vault;
}

Vault::~Vault() = default;

void Vault::prepare(Plan& plan) {
  std::vector<const Scope*> fresh;
  for (const auto& scope : plan.scopes.all()) {
    if (store_->attach(*scope)) fresh.push_back(scope.get());
  }
  store_->forget_denials();
  if (fresh.empty()) return;
  std::ranges::sort(fresh);
  for (const ledger::HourSum& sum : history_) {
    for (const Scope* scope : plan.scopes.by_any_name(sum.tenant, sum.key_id, sum.model)) {
      if (std::ranges::binary_search(fresh, scope)) store_->restore(*scope, sum.hour, sum.charged);
    }
  }
}

void Vault::start() { ledger_->start(); }

void Vault::stop() {
  constexpr auto patience = std::chrono::seconds(10);
  ledger_->stop(patience);
}

}  // namespace tollgate::app
