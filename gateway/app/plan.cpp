#include "gateway/app/plan.hpp"

#include <charconv>

#include "config/seal_keys.hpp"
#include "routing/provider.hpp"

namespace tollgate {
namespace {

std::shared_ptr<const routing::ProviderEntry> make_provider(const std::string& name,
                                                            const config::ProviderConfig& from) {
  auto entry = std::make_shared<routing::ProviderEntry>();
  entry->name = name;
  entry->kind = from.kind;
  entry->codec = routing::find_provider(from.kind);
  entry->address = app::parse_base_url(from.base_url.empty() ? entry->codec->default_base_url()
                                                             : std::string_view(from.base_url));
  entry->own_host =
      entry->address.host == app::parse_base_url(entry->codec->default_base_url()).host;
  entry->tls = {from.tls.ca_file, from.tls.verify};
  entry->timeouts = {from.timeouts.connect, from.timeouts.first_byte, from.timeouts.idle};
  if (from.api_key) entry->api_keys.push_back(from.api_key->value);
  for (const config::Secret& key : from.api_keys)
    entry->api_keys.push_back(key.value);
  for (const auto& [header, value] : from.headers) {
    entry->headers.emplace_back(header, value.value);
  }
  entry->allow_fields = from.allow_fields;
  if (from.limits) {
    entry->requests_per_minute = from.limits->requests_per_minute.value_or(0);
    entry->tokens_per_minute = from.limits->tokens_per_minute.value_or(0);
    entry->concurrent = from.limits->concurrent.value_or(0);
    entry->adaptive = from.limits->adaptive;
  }
  entry->probe = from.probe;
  return entry;
}

ProviderMap make_providers(const config::Config& config) {
  ProviderMap providers;
  for (const auto& [name, provider] : config.providers) {
    if (!provider.disabled) providers.emplace(name, make_provider(name, provider));
  }
  return providers;
}

std::vector<cache::SealKey> seal_keys(const config::Config& config) {
  std::vector<cache::SealKey> keys;
  for (const config::SealingKey& key : config::sealing_keys(config))
    keys.push_back({key.id, key.bytes});
  return keys;
}

}  // namespace

Plan::Plan(config::Config loaded)
    : config(std::move(loaded)),
      providers(make_providers(config)),
      routes(config, providers),
      scopes(config),
      tariffs(config),
      keys(config, scopes),
      policies(policies::make_policies(config)),
      envelope(seal_keys(config)) {}

namespace app {

routing::Address parse_base_url(std::string_view url) {
  routing::Address address;
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return address;
  const std::string_view name = url.substr(0, scheme);
  address.in_process = name == "demo";
  address.tls = name == "https";
  address.port = address.tls ? 443 : 80;
  url.remove_prefix(scheme + 3);
  const std::size_t slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  if (slash != std::string_view::npos) address.base_path = url.substr(slash);
  while (address.base_path.ends_with('/'))
    address.base_path.pop_back();
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    std::from_chars(port.data(), port.data() + port.size(), address.port);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  address.host = authority;
  return address;
}

}  // namespace app
}  // namespace tollgate
