#include "routing/target.hpp"

namespace tollgate::routing {

std::string Address::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  std::string text = v6 ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

bool went_to(const AttemptOutcome& attempt, const Target& target) {
  return attempt.provider == target.provider->name && attempt.upstream_model == target.model;
}

const std::string* own_key(const HeaderList* own_keys, std::string_view provider) {
  if (own_keys == nullptr) return nullptr;
  for (const auto& [name, key] : *own_keys) {
    if (name == provider) return &key;
  }
  return nullptr;
}

}  // namespace tollgate::routing
