#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "config/validate.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

constexpr std::size_t digest_digits = 64;
// What a clock of nanoseconds can hold: 9999-12-31 means "never" and must not wrap around.
constexpr std::chrono::sys_seconds time_min{};
constexpr std::chrono::sys_seconds time_max{std::chrono::sys_days{std::chrono::year{2262} / 1 / 1}};

class TenantCheck {
 public:
  explicit TenantCheck(const Checking& check)
      : check_(check), demo_digest_(sha256_hex(published_demo_key())) {
    for (const auto& [name, model] : check.config.models) {
      models_.insert(name);
      model_list_.emplace_back(name);
    }
    for (const auto& [name, provider] : check.config.providers)
      provider_list_.emplace_back(name);
  }

  void tenant(const std::string& name, TenantConfig& tenant) {
    const std::string wrong = name_problem(name, false);
    if (!wrong.empty()) check_.problems.add(check_.spots.find({"tenants", name})->key, wrong);
    for (std::size_t i = 0; i < tenant.keys.size(); ++i) {
      key(name, std::to_string(i), tenant.keys[i]);
    }
    if (tenant.models) patterns({"tenants", name, "models"}, *tenant.models);
    provider_keys(name, tenant);
    weight(name, tenant);
  }

  void tier(const std::string& name, const TierConfig& tier) {
    if (tier.models) patterns({"tiers", name, "models"}, *tier.models);
  }

 private:
  /// Those below a tenant have weights of their own.
  void weight(const std::string& name, const TenantConfig& tenant) {
    const Spots::Path path{"tenants", name, "weight"};
    const bool calls = check_.config.auth == Auth::none || !tenant.keys.empty();
    if (calls || tenant.weight == TenantConfig{}.weight) return;
    if (check_.spots.find(path) == nullptr) return;
    check_.complain(path, "a tenant without keys makes no calls that could wait");
  }

  void key(const std::string& tenant, const std::string& at, KeyConfig& key) {
    key_id(tenant, at, key);
    digest(tenant, at, key);
    if (key.models) patterns({"tenants", tenant, "keys", at, "models"}, *key.models);
    if (key.expires) key.expires = std::clamp(*key.expires, time_min, time_max);
    if (key.expires && *key.expires <= std::chrono::system_clock::now()) {
      check_.notes.push_back("key " + quote(key.id) + " of tenant " + quote(tenant) +
                             " has expired (" + to_text(*key.expires) + ")");
    }
  }

  void key_id(const std::string& tenant, const std::string& at, const KeyConfig& key) {
    const Spots::Path path{"tenants", tenant, "keys", at, "id"};
    const Spot* spot = check_.spots.find(path);
    if (spot == nullptr || !spot->usable) return;
    if (!valid_key_id(key.id)) {
      return check_.complain(path,
                             "\"id\" must begin with a letter or digit and hold at most 64 "
                             "letters, digits, \".\", \"_\" and \"-\", got " +
                                 check_.shown(path, key.id));
    }
    const auto [first, fresh] = ids_.try_emplace(key.id, spot->value);
    if (!fresh) {
      check_.complain(path, "the key id " + check_.shown(path, key.id) +
                                " stands here twice (first at " +
                                check_.problems.where(first->second) + ")");
    }
  }

  void digest(const std::string& tenant, const std::string& at, KeyConfig& key) {
    const Spots::Path path{"tenants", tenant, "keys", at, "sha256"};
    const Spot* spot = check_.spots.find(path);
    if (spot == nullptr || !spot->usable) return;
    std::string& text = key.sha256;
    const auto hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
    if (text.size() != digest_digits || !std::all_of(text.begin(), text.end(), hex)) {
      // Not shown: it may be the secret itself.
      return check_.complain(path,
                             "\"sha256\" must be the 64 hex digits that `tollgate key new` "
                             "prints");
    }
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto [first, fresh] = digests_.try_emplace(text, spot->value);
    if (!fresh) {
      check_.complain(path, "two keys have this \"sha256\" (first at " +
                                check_.problems.where(first->second) + ")");
    }
    if (text == demo_digest_) published(path);
  }

  void published(Spots::Path path) {
    Config& config = check_.config;
    config.published_demo_key = true;
    if (config.auth == Auth::none) return;
    for (std::string& problem : exposure_problems(config)) {
      check_.complain(path, std::move(problem));
    }
  }

  // Allowlists: exact names must be models, or covered by a wildcard model.
  void patterns(Spots::Path list, const std::vector<std::string>& patterns) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      std::string joined;
      for (const std::string_view step : list)
        Spots::append(joined, step);
      Spots::append(joined, std::to_string(i));
      const Spot* spot = check_.spots.find_joined(joined);
      if (spot == nullptr || !spot->usable) continue;
      const std::string wrong = name_problem(patterns[i], true);
      if (!wrong.empty()) {
        check_.problems.add(spot->value, wrong);
      } else if (!patterns[i].ends_with('*') && !covered(patterns[i])) {
        const std::string shown = spot->expanded ? "what it expands to" : quote(patterns[i]);
        check_.problems.add_with_suggestion(spot->value, "no model has the name " + shown,
                                            patterns[i], model_list_);
      }
    }
  }

  [[nodiscard]] bool covered(const std::string& name) const {
    if (models_.contains(name)) return true;
    for (std::size_t size = 0; size <= name.size(); ++size) {
      if (models_.contains(name.substr(0, size) + "*")) return true;
    }
    return false;
  }

  void provider_keys(const std::string& name, const TenantConfig& tenant) {
    for (const auto& [provider, key] : tenant.provider_keys) {
      const Spot* spot = check_.spots.find({"tenants", name, "provider_keys", provider});
      if (spot == nullptr) continue;
      if (!check_.config.providers.contains(provider)) {
        check_.problems.add_with_suggestion(
            spot->key, "no provider has the name " + quote(provider), provider, provider_list_);
      } else if (key.value.empty() && spot->usable) {
        check_.problems.add(spot->value,
                            "the tenant's key for " + quote(provider) +
                                " expands to nothing: its calls would go out under ours");
      }
    }
  }

  const Checking& check_;
  std::string demo_digest_;
  std::unordered_set<std::string> models_;
  std::vector<std::string_view> model_list_, provider_list_;
  std::unordered_map<std::string, Place> ids_, digests_;
};

void check_auth(const Checking& check) {
  const Config& config = check.config;
  if (config.auth == Auth::keys) {
    const Spot* spot = check.spots.find({"tenants"});
    if (config.tenants.empty() && (spot == nullptr || spot->usable)) {
      const Place place = spot != nullptr ? spot->key : Place{0, 1, 1};
      check.problems.add(place, "at least one tenant is required, or \"auth: none\"");
    }
    const bool any_key = std::any_of(config.tenants.begin(), config.tenants.end(),
                                     [](const auto& entry) { return !entry.second.keys.empty(); });
    if (!any_key) check.notes.emplace_back("no tenant has a key: every call will be refused");
    return;
  }
  for (std::string& problem : exposure_problems(config))
    check.complain({"auth"}, problem);
  if (config.tenants.size() > 1) {
    check.complain({"auth"}, "\"auth: none\" allows at most one tenant, got " +
                                 std::to_string(config.tenants.size()));
  }
}

}  // namespace

void check_tenants(const Checking& check) {
  TenantCheck tenants(check);
  for (auto& [name, tenant] : check.config.tenants)
    tenants.tenant(name, tenant);
  for (const auto& [name, tier] : check.config.tiers)
    tenants.tier(name, tier);
  check_auth(check);
}

}  // namespace tollgate::config
