#include <algorithm>
#include <set>
#include <unordered_map>

#include "config/expand.hpp"
#include "config/load.hpp"
#include "config/price_file.hpp"
#include "config/validate.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

/// Appends a list of steps to a path.
std::string joined(Spots::Path steps) {
  std::string path;
  for (const std::string_view step : steps)
    Spots::append(path, step);
  return path;
}

class MoneyCheck {
 public:
  explicit MoneyCheck(const Checking& check) : check_(check) {
    for (const auto& [name, tenant] : check.config.tenants)
      tenants_.emplace_back(name);
    for (const auto& [name, tier] : check.config.tiers)
      tiers_.emplace_back(name);
    for (const auto& [name, model] : check.config.models)
      models_.emplace_back(name);
  }

  void all() {
    Config& config = check_.config;
    for (auto& [name, model] : config.models)
      budgets(joined({"models", name, "budgets"}), model.budgets);
    for (auto& [name, tier] : config.tiers)
      budgets(joined({"tiers", name, "budgets"}), tier.budgets);
    for (auto& [name, tenant] : config.tenants)
      this->tenant(name, tenant);
    for (auto& [name, tenant] : config.tenants)
      no_cycle(name, tenant);
    former_names();
  }

 private:
  void tenant(const std::string& name, TenantConfig& tenant) {
    budgets(joined({"tenants", name, "budgets"}), tenant.budgets);
    for (std::size_t i = 0; i < tenant.keys.size(); ++i) {
      budgets(joined({"tenants", name, "keys", std::to_string(i), "budgets"}),
              tenant.keys[i].budgets);
    }
    if (!tenant.tier.empty() && !check_.config.tiers.contains(tenant.tier)) {
      unknown({"tenants", name, "tier"}, "tier", tenant.tier, tiers_);
    }
    if (!tenant.parent.empty() && !check_.config.tenants.contains(tenant.parent)) {
      unknown({"tenants", name, "parent"}, "tenant", tenant.parent, tenants_);
    }
    const std::string& model = tenant.on_budget_exceeded.downgrade;
    if (!model.empty() && !is_model(model)) {
      unknown({"tenants", name, "on_budget_exceeded"}, "model", model, models_);
    }
  }

  void unknown(Spots::Path path, std::string_view what, const std::string& name,
               const std::vector<std::string_view>& candidates) {
    check_.complain(path, "no " + std::string(what) + " has the name " + check_.shown(path, name),
                    name, candidates);
  }

  [[nodiscard]] bool is_model(const std::string& name) const {
    return std::ranges::any_of(models_,
                               [&](std::string_view known) { return matches(known, name); });
  }

  void budgets(const std::string& path, std::vector<BudgetConfig>& list) {
    std::set<BudgetPer> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      std::string at = path;
      Spots::append(at, std::to_string(i));
      BudgetConfig& budget = list[i];
      // A budget whose "per" is absent or wrong has none that another could share.
      if (usable(at, "per") && !seen.insert(budget.per).second) {
        complain(at, "per", "two budgets of one scope have this \"per\"");
      }
      if (budget.since && budget.per != BudgetPer::total) {
        complain(at, "since", "\"since\" goes only with \"per: total\"");
      } else if (budget.since &&
                 *budget.since != std::chrono::floor<std::chrono::days>(*budget.since)) {
        // The stores know what was spent on a day, not at what time of it.
        complain(at, "since", "\"since\" is a day, UTC, without a time");
      }
      const std::string_view wrong = url_problem(budget.webhook, UrlQuery::allowed);
      if (!budget.webhook.empty() && !wrong.empty()) {
        complain(at, "webhook", "\"webhook\" " + std::string(wrong));
      }
      std::ranges::sort(budget.warn_at, {}, &Share::permille);
      const auto repeats = std::ranges::unique(budget.warn_at);
      budget.warn_at.erase(repeats.begin(), repeats.end());
    }
  }

  [[nodiscard]] bool usable(std::string at, std::string_view field) const {
    Spots::append(at, field);
    const Spot* spot = check_.spots.find_joined(at);
    return spot != nullptr && spot->usable;
  }

  void complain(std::string at, std::string_view field, std::string message) {
    Spots::append(at, field);
    const Spot* spot = check_.spots.find_joined(at);
    if (spot != nullptr && spot->usable) check_.problems.add(spot->value, std::move(message));
  }

  void no_cycle(const std::string& name, const TenantConfig& tenant) {
    std::set<std::string> seen{name};
    for (std::string at = tenant.parent; !at.empty();) {
      if (!seen.insert(at).second) {
        return check_.complain({"tenants", name, "parent"},
                               "the parents of " + quote(name) + " go round in a circle");
      }
      const auto parent = check_.config.tenants.find(at);
      if (parent == check_.config.tenants.end()) return;
      at = parent->second.parent;
    }
  }

  /// A balance has one owner: no former name may be somebody's present one, nor be claimed twice.
  void former_names() {
    std::set<std::string> taken, ids, former_ids;
    for (const auto& [name, tenant] : check_.config.tenants) {
      for (const KeyConfig& key : tenant.keys)
        ids.insert(name + "\n" + key.id);
    }
    for (const auto& [name, tenant] : check_.config.tenants) {
      const auto list = joined({"tenants", name, "formerly"});
      for (std::size_t i = 0; i < tenant.formerly.size(); ++i) {
        const std::string& before = tenant.formerly[i];
        if (check_.config.tenants.contains(before)) {
          complain(list, std::to_string(i), "a tenant has the name " + quote(before) + " now");
        } else if (!taken.insert(before).second) {
          complain(list, std::to_string(i), "two tenants were formerly " + quote(before));
        }
      }
      for (std::size_t k = 0; k < tenant.keys.size(); ++k)
        former_ids_of(name, tenant.keys[k], k, ids, former_ids);
    }
  }

  void former_ids_of(const std::string& tenant, const KeyConfig& key, std::size_t at,
                     const std::set<std::string>& ids, std::set<std::string>& taken) {
    const auto list = joined({"tenants", tenant, "keys", std::to_string(at), "formerly"});
    for (std::size_t i = 0; i < key.formerly.size(); ++i) {
      const std::string before = tenant + "\n" + key.formerly[i];
      if (ids.contains(before)) {
        complain(list, std::to_string(i), "a key has the id " + quote(key.formerly[i]) + " now");
      } else if (!taken.insert(before).second) {
        complain(list, std::to_string(i), "two keys were formerly " + quote(key.formerly[i]));
      }
    }
  }

  const Checking& check_;
  std::vector<std::string_view> tenants_, tiers_, models_;
};

/// Key by key: what the tenant does not say is the tier's.
void merge(std::optional<LimitsConfig>& own, const std::optional<LimitsConfig>& tier) {
  if (!tier) return;
  if (!own) {
    own = tier;
    return;
  }
  const auto take = [&](auto LimitsConfig::* member) {
    if (!((*own).*member)) (*own).*member = (*tier).*member;
  };
  take(&LimitsConfig::requests_per_minute);
  take(&LimitsConfig::tokens_per_minute);
  take(&LimitsConfig::concurrent);
  take(&LimitsConfig::burst);
  take(&LimitsConfig::enforce);
}

void merge(TenantConfig& tenant, const TierConfig& tier) {
  merge(tenant.limits, tier.limits);
  merge(tenant.per_user, tier.per_user);
  for (const BudgetConfig& budget : tier.budgets) {
    const bool own = std::ranges::any_of(
        tenant.budgets, [&](const BudgetConfig& other) { return other.per == budget.per; });
    if (!own) tenant.budgets.push_back(budget);
  }
  if (!tenant.models) tenant.models = tier.models;
}

class PriceLoader {
 public:
  explicit PriceLoader(const Checking& check) : check_(check) {}

  std::vector<PriceRow> files(Spots::Path list, const std::vector<std::string>& paths) {
    std::vector<PriceRow> rows;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      std::string at = joined(list);
      Spots::append(at, std::to_string(i));
      for (PriceRow& row : file(at, paths[i]))
        rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  std::vector<PriceRow> file(const std::string& at, const std::string& path) {
    check_.config.files.push_back(path);
    std::string error;
    const auto text = read_regular_file(path, file_bytes_max, error);
    if (text) return read_prices(*text, path, check_.problems);
    const Spot* spot = check_.spots.find_joined(at);
    if (spot != nullptr) {
      check_.problems.add(spot->value, "cannot read " + quote(path) + ": " + error);
    }
    return {};
  }

  const Checking& check_;
};

void load_prices(const Checking& check) {
  Config& config = check.config;
  Prices prices;
  PriceLoader loader(check);
  if (config.prices.files.empty()) {
    prices.shared = shipped_price_book();
  } else {
    prices.shared = PriceBook(loader.files({"prices", "files"}, config.prices.files));
  }
  for (const auto& [name, tenant] : config.tenants) {
    if (tenant.prices.files.empty()) continue;
    prices.tenants[name] =
        PriceBook(loader.files({"tenants", name, "prices", "files"}, tenant.prices.files));
  }
  config.price_books = std::make_shared<const Prices>(std::move(prices));
}

/// A URL, or libpq's `host=... dbname=...`. The value is a secret and is not repeated.
bool is_postgres(std::string_view url) {
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) return true;
  return !url.contains("://") && url.contains('=');
}

void check_ledger(const Checking& check) {
  const LedgerConfig& ledger = check.config.ledger;
  if (ledger.sqlite && ledger.postgres) {
    check.complain({"ledger", "postgres"}, "the ledger is in \"sqlite\" or in \"postgres\"");
  } else if (ledger.postgres && !is_postgres(ledger.postgres->url.value)) {
    check.complain({"ledger", "postgres", "url"},
                   "the URL of PostgreSQL begins with postgres:// or postgresql://");
  }
}

}  // namespace

void check_money(const Checking& check) {
  MoneyCheck(check).all();
  load_prices(check);
  check_ledger(check);
  for (auto& [name, tenant] : check.config.tenants) {
    const auto tier = check.config.tiers.find(tenant.tier);
    if (tier != check.config.tiers.end()) merge(tenant, tier->second);
  }
}

}  // namespace tollgate::config
