// Target: one place a model's calls can go, built from the configuration, immutable.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/chat.hpp"
#include "gateway/core/http.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate::routing {

struct Provider;
class RetryBudget;

/// Where a provider's host is. `base_path` has no trailing slash ("/v1").
struct Address {
  bool tls = true;
  bool in_process = false;  ///< the demo: no socket at all
  std::string host;
  std::uint16_t port = 443;
  std::string base_path;
  [[nodiscard]] std::string authority() const;  ///< for Host: port left out where it is the default
};

struct TlsSettings {
  std::string ca_file;
  bool verify = true;
  bool operator==(const TlsSettings&) const = default;
};

struct UpstreamTimeouts {
  std::chrono::milliseconds connect{3000}, first_byte{300000}, idle{120000};
};

/// One `providers:` entry.
struct ProviderEntry {
  std::string name;  ///< the operator's
  std::string kind;
  const Provider* codec = nullptr;
  Address address;
  bool own_host = false;  ///< the kind's default one (money.md M3)
  TlsSettings tls;
  UpstreamTimeouts timeouts;
  std::vector<std::string> api_keys;
  HeaderList headers;  ///< added to each request
  std::vector<std::string> allow_fields;
  // What it allows us; 0: no such limit.
  std::uint64_t requests_per_minute = 0, tokens_per_minute = 0;
  std::uint32_t concurrent = 0;
  bool adaptive = false;               ///< `concurrent` is found, up to that
  std::chrono::milliseconds probe{0};  ///< how often it is asked whether it lives; 0: never
};

class TargetHealth;

struct Target {
  std::shared_ptr<const ProviderEntry> provider;
  std::string
      model;  ///< the provider's name for it; "*" was replaced by the rest of the asked name
  std::uint32_t weight = 1;
  std::shared_ptr<TargetHealth> health = nullptr;  ///< nullptr: nobody keeps an eye on it
  std::uint32_t key = 0;                           ///< which of the provider's api_keys a call uses
  RetryBudget* repeats = nullptr;  ///< its route's; null: its calls are never repeated
};

/// Whether that attempt was one at this target, with whichever key.
[[nodiscard]] bool went_to(const AttemptOutcome& attempt, const Target& target);

/// The tenant's own key for a provider, among those of `own_keys` (may be nullptr); or nullptr.
[[nodiscard]] const std::string* own_key(const HeaderList* own_keys, std::string_view provider);

}  // namespace tollgate::routing
