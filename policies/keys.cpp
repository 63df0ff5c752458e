#include "policies/keys.hpp"

#include <algorithm>
#include <openssl/crypto.h>

#include "config/load.hpp"
#include "gateway/core/hex.hpp"
#include "policies/digest.hpp"

namespace tollgate::policies {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c - 'a' + 10;  // validated on loading: lower-case hex
}

Digest digest_from_hex(std::string_view hex) {
  Digest digest{};
  for (std::size_t i = 0; i < digest.size() && 2 * i + 1 < hex.size(); ++i) {
    digest[i] = static_cast<unsigned char>(hex_value(hex[2 * i]) * 16 + hex_value(hex[2 * i + 1]));
  }
  return digest;
}

/// The public id inside `tg-<id>-<random>`; empty when the secret has another form.
std::string_view public_id(std::string_view secret) {
  constexpr std::string_view prefix = "tg-";
  if (!secret.starts_with(prefix)) return {};
  secret.remove_prefix(prefix.size());
  const std::size_t dash = secret.rfind('-');
  return dash == std::string_view::npos ? std::string_view{} : secret.substr(0, dash);
}

bool covers(const std::optional<std::vector<std::string>>& patterns, std::string_view model) {
  if (!patterns) return true;
  return std::ranges::any_of(
      *patterns, [&](const std::string& pattern) { return config::matches(pattern, model); });
}

}  // namespace

KeyTable::KeyTable(const config::Config& config, const ScopeTable& scopes) {
  std::unordered_map<std::string_view, Tenant*> by_name;
  for (const auto& [name, entry] : config.tenants) {
    auto tenant = std::make_unique<Tenant>();
    tenant->name = name;
    tenant->models = entry.models;
    for (const auto& [provider, key] : entry.provider_keys) {
      tenant->provider_keys.emplace_back(provider, key.value);
    }
    tenant->tags = entry.tags;
    tenant->clip_min_tokens = entry.clip_min_tokens;
    tenant->cache = entry.cache;
    tenant->downgrade = entry.on_budget_exceeded.downgrade;
    for (const config::KeyConfig& key : entry.keys)
      add(*tenant, key, scopes);
    by_name[tenant->name] = tenant.get();
    tenants_.push_back(std::move(tenant));
  }
  for (const auto& [name, entry] : config.tenants) {
    if (!entry.parent.empty()) by_name.at(name)->parent = by_name.at(entry.parent);
  }
  if (config.auth == config::Auth::none) {
    if (tenants_.empty()) {
      tenants_.push_back(std::make_unique<Tenant>());
      tenants_.back()->name = "default";
    }
    anonymous_.tenant = tenants_.front().get();
    anonymous_.scopes = &scopes.of_key(anonymous_.tenant->name, "");
  }
}

void KeyTable::add(const Tenant& tenant, const config::KeyConfig& entry, const ScopeTable& scopes) {
  Key key;
  key.id = entry.id;
  key.digest = digest_from_hex(entry.sha256);
  key.models = entry.models;
  key.tenant = &tenant;
  key.scopes = &scopes.of_key(tenant.name, entry.id);
  if (entry.expires) key.expires = *entry.expires;
  if (entry.by_hash) {
    by_digest_.emplace(entry.sha256, std::move(key));
  } else {
    by_id_.emplace(entry.id, std::move(key));
  }
}

const Key* KeyTable::find(std::string_view secret, SystemTime now) const {
  constexpr std::size_t longest = 512;
  if (secret.empty() || secret.size() > longest) return nullptr;
  const std::optional<Digest> digest = sha256({secret});
  if (!digest) return nullptr;
  const Key* key = nullptr;
  if (const auto found = by_id_.find(public_id(secret)); found != by_id_.end()) {
    key = &found->second;
  } else if (!by_digest_.empty()) {
    if (const auto same = by_digest_.find(hex_of(*digest)); same != by_digest_.end()) {
      key = &same->second;
    }
  }
  if (key == nullptr) return nullptr;
  if (CRYPTO_memcmp(key->digest.data(), digest->data(), digest->size()) != 0) return nullptr;
  return has_expired(*key, now) ? nullptr : key;
}

bool may_use(const Key& key, std::string_view model) {
  if (!covers(key.models, model)) return false;
  for (const Tenant* tenant = key.tenant; tenant != nullptr; tenant = tenant->parent) {
    if (!covers(tenant->models, model)) return false;
  }
  return true;
}

}  // namespace tollgate::policies
