#include "gateway/app/vault.hpp"

#include <algorithm>
#include <filesystem>

#include "policies/ledger/books.hpp"
#include "policies/store/memory.hpp"

namespace tollgate::app {

namespace {

/// M25. Where the ledger has a row of the call already, this one changes nothing.
Outcome unknown_row(const policies::RunOut& call) {
  Outcome row;
  row.request_id = call.id;
  row.started_at = row.ended_at = row.admitted_at = call.admitted_at;
  row.tenant = call.tenant;
  row.key_id = call.key;
  row.model = row.model_asked = call.model;
  row.cost = row.charged = row.cost_by_kind.input = call.charged;
  row.booked = true;
  return row;
}

}  // namespace

Result<std::unique_ptr<Vault>> Vault::open(const config::Config& config, Log& log) {
  std::unique_ptr<Vault> vault(new Vault);
  vault->apply(config);
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
  auto opened = vault->open_store(config.store, config.ledger.postgres.has_value(), log);
  if (!opened) return std::unexpected(opened.error());
  auto replies = ReplyPlaces::of(config, vault->clock_);
  if (!replies) return std::unexpected(replies.error());
  vault->replies_ = std::move(*replies);
  if (auto memo = vault->open_memo(config); !memo) return std::unexpected(memo.error());
  return vault;
}

Result<void> Vault::open_store(const config::StoreConfig& config, bool shared_ledger, Log& log) {
  if (!config.redis) {
    store_ = std::make_unique<policies::MemoryStore>(clock_);
    return {};
  }
  auto settings = net::RedisSettings::from(*config.redis);
  if (!settings) return std::unexpected(settings.error());
  policies::RedisTerms terms;
  terms.prefix = config.redis->prefix;
  terms.cluster = config.redis->mode == config::RedisMode::cluster;
  terms.lease = config.lease;
  terms.on_error = config.on_error;
  terms.ledger = ledger_->id();
  if (shared_ledger) terms.rows_travel = std::chrono::seconds(1);
  terms.warn = [&log](std::string_view text) { log.warn(std::string(text)); };
  terms.on_lost = [this] {
    if (lost_) lost_();
  };
  terms.on_run_out = [this, &log](const policies::RunOut& call) {
    log.warn("the lease of call " + call.id + " ran out: " + usd_text(call.charged) +
             " USD are charged as spent");
    if (call.ours && !call.key.empty()) ledger_->record(unknown_row(call));
  };
  terms.on_unanswered = [this](const std::string& id) { ledger_->keep(id); };
  terms.on_settled = [this](const std::string& id) { ledger_->settled(id); };
  terms.shares_ledger = shared_ledger;
  place_ = std::make_unique<StorePlace>(std::move(*settings), std::move(terms), clock_);
  store_ = std::make_unique<policies::RedisStore>(place_->shared, nullptr);
  for (ledger::Ledger::Unsettled& call : ledger_->take_unsettled()) {
    place_->shared.leave({.id = std::move(call.request_id),
                          .tenant = std::move(call.tenant),
                          .key = std::move(call.key_id),
                          .model = std::move(call.model),
                          .charged = call.charged,
                          .ended = call.ended});
  }
  return greet_store(*place_, log);
}

/// Beside the journal, whose lock keeps other processes away from it too. With Redis it holds the
/// calls that ran while that was away, and those of a time without it.
Result<void> Vault::open_memo(const config::Config& config) {
  std::filesystem::path path = ledger::places_of(config.ledger).journal;
  path.replace_extension("idempotency");
  memo_ = std::make_unique<policies::MemoFile>(clock_, path.string(), config.idempotency.ttl);
  auto read = memo_->read([this](const auto& id, const auto& fingerprint, auto age) {
    idempotency_.restore(id, fingerprint, age);
  });
  using Notes = policies::IdempotencyTable::Notes;
  idempotency_.set_memo(memo_.get(), replies_->keyed ? Notes::asked_for : Notes::every_call);
  return read;
}

Vault::~Vault() = default;

void Vault::prepare(Plan& plan) {
  std::vector<const Scope*> fresh;
  for (const auto& scope : plan.scopes.all()) {
    if (store_->attach(*scope)) fresh.push_back(scope.get());
  }
  store_->forget_denials();
  restore(plan, fresh);
}

/// `scopes` in any order.
void Vault::restore(const Plan& plan, const std::vector<const Scope*>& scopes) {
  if (scopes.empty()) return;
  std::vector<const Scope*> sorted = scopes;
  std::ranges::sort(sorted);
  for (const ledger::HourSum& sum : history_) {
    for (const Scope* scope : plan.scopes.by_any_name(sum.tenant, sum.key_id, sum.model)) {
      if (std::ranges::binary_search(sorted, scope)) {
        store_->restore(*scope, sum.hour, sum.charged);
      }
    }
  }
}

void Vault::reread(std::function<void()> done) {
  {
    const std::lock_guard lock(reread_mutex_);
    reread_at_ = clock_.system();
  }
  ledger_->ask_hours([this, done = std::move(done)](Result<ledger::Ledger::Hours> sums) {
    if (sums) {
      const std::lock_guard lock(reread_mutex_);
      reread_ = std::move(*sums);
    }
    if (sums) return done();
    reread(done);  // the database is away, so budgets stay denied
  });
}

void Vault::refill(const Plan& plan) {
  SystemTime as_of;
  {
    const std::lock_guard lock(reread_mutex_);
    history_ = std::move(reread_);
    as_of = reread_at_;
  }
  place_->shared.forget_books();
  std::vector<const Scope*> scopes;
  for (const auto& scope : plan.scopes.all())
    scopes.push_back(scope.get());
  restore(plan, scopes);
  place_->shared.books_are_read(as_of);
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
