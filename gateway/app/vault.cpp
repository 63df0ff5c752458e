#include "gateway/app/vault.hpp"

#include <algorithm>
#include <filesystem>

#include "policies/ledger/books.hpp"
#include "policies/store/memory.hpp"

namespace tollgate::app {

Result<std::unique_ptr<Vault>> Vault::open(const config::Config& config, Log& log) {
  std::unique_ptr<Vault> vault(new Vault);
  vault->apply(config);
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
  if (auto opened = vault->open_memo(config); !opened) return std::unexpected(opened.error());
  return vault;
}

/// Beside the journal, whose lock keeps other processes away from it too.
Result<void> Vault::open_memo(const config::Config& config) {
  std::filesystem::path path = ledger::places_of(config.ledger).journal;
  path.replace_extension("idempotency");
  memo_ = std::make_unique<policies::MemoFile>(clock_, path.string(), config.idempotency.ttl);
  auto read = memo_->read([this](const auto& id, const auto& fingerprint, auto age) {
    idempotency_.restore(id, fingerprint, age);
  });
  idempotency_.set_memo(memo_.get());
  return read;
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

void Vault::apply(const config::Config& config) {
  idempotency_.set_bounds(
      {.ttl = config.idempotency.ttl, .bytes_max = config.idempotency.max_bytes.count});
}

void Vault::start() { ledger_->start(); }

void Vault::stop() {
  constexpr auto patience = std::chrono::seconds(10);
  ledger_->stop(patience);
}

}  // namespace tollgate::app
