#include "policies/store/redis_account.hpp"

namespace tollgate::policies {
namespace {

/// Without what parts a key's pieces or ends a hash tag.
std::string escaped(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '{' || c == '}' || c == '%') {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', hex[byte >> 4U], hex[byte & 15U]});
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string RedisKeys::tag(const Scope& scope) {
  if (scope.kind == ScopeKind::model) return "model:" + escaped(scope.name);
  return escaped(scope.root.empty() ? scope.tenant : scope.root);
}

std::string RedisKeys::scope(ScopeKind kind, std::string_view tag, std::string_view tenant,
                             std::string_view name) const {
  std::string key = prefix_ + "{" + std::string(tag) + "}:";
  key += to_string(kind);
  if (kind == ScopeKind::key) key += ":" + escaped(tenant);
  return key + ":" + escaped(name);
}

std::string RedisKeys::user(const RedisAccount& account, std::string_view user) const {
  return account.key + ":user:" + escaped(user);
}
std::string RedisKeys::nobody(const RedisAccount& account) const { return account.key + ":nobody"; }
std::string RedisKeys::users(const RedisAccount& account) const { return account.key + ":users"; }

std::string RedisKeys::record(std::string_view tag, std::string_view id) const {
  return prefix_ + "{" + std::string(tag) + "}:call:" + std::string(id);
}

std::string RedisKeys::marker(std::string_view tag) const {
  return cluster_ ? prefix_ + "{" + std::string(tag) + "}:here" : prefix_ + "here";
}

std::string RedisKeys::leases(std::string_view tag) const {
  return cluster_ ? prefix_ + "{" + std::string(tag) + "}:leases" : prefix_ + "leases";
}

}  // namespace tollgate::policies
