// KeyTable: who a presented key belongs to. Keys are found by their public id (or by their digest,
// where they were brought from another gateway) and compared in constant time; secrets are never
// held. Built with the plan, immutable, asked on any worker.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/core/http.hpp"
#include "policies/scopes.hpp"

namespace tollgate::policies {

/// One tenant as the plan holds it.
struct Tenant {
  std::string name;
  const Tenant* parent = nullptr;
  std::optional<std::vector<std::string>> models;  ///< allowlist; absent: all
  HeaderList provider_keys;                        ///< its own upstream keys
  HeaderList tags;
  std::uint32_t clip_min_tokens = 256;
  config::TenantCache cache = config::TenantCache::tenant;
  std::string downgrade;  ///< model to ask instead when a budget is exceeded; empty: deny
};

struct Key {
  std::string id;
  std::array<unsigned char, 32> digest{};
  std::optional<SystemTime> expires;
  std::optional<std::vector<std::string>> models;
  const Tenant* tenant = nullptr;
  const ScopeChain* scopes = nullptr;  ///< all that must admit its calls, but for the model's
};

[[nodiscard]] inline bool has_expired(const Key& key, SystemTime now) {
  return key.expires && *key.expires <= now;
}

class KeyTable {
 public:
  /// `scopes` outlives the table.
  KeyTable(const config::Config& config, const ScopeTable& scopes);
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  /// The key that `secret` is, or nullptr (unknown, wrong or expired: nobody is told which).
  [[nodiscard]] const Key* find(std::string_view secret, SystemTime now) const;
  /// `auth: none`: the key that everybody has.
  [[nodiscard]] const Key& anonymous() const { return anonymous_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Tenant>>& tenants() const { return tenants_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Map = std::unordered_map<std::string, Key, Hash, std::equal_to<>>;

  void add(const Tenant& tenant, const config::KeyConfig& key, const ScopeTable& scopes);

  std::vector<std::unique_ptr<Tenant>> tenants_;
  Map by_id_;
  Map by_digest_;  // hex
  Key anonymous_;
};

/// True when the key, its tenant and every parent allow `model`.
[[nodiscard]] bool may_use(const Key& key, std::string_view model);

}  // namespace tollgate::policies
