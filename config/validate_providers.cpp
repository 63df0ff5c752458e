#include <algorithm>
#include <cctype>
#include <set>

#include "config/not_supported.hpp"
#include "config/validate.hpp"
#include "config/values.hpp"

namespace tollgate::config {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

void check_kind(const Checking& check, const std::string& name, const ProviderConfig& provider) {
  const auto& kinds = check.surroundings.provider_kinds;
  if (provider.kind.empty() || contains(kinds, provider.kind)) return;
  const std::string shown = check.shown({"providers", name, "kind"}, provider.kind);
  if (is_contract_kind(provider.kind)) {
    return check.complain({"providers", name, "kind"}, shown + " is not supported yet");
  }
  check.complain({"providers", name, "kind"}, "unknown kind " + shown, provider.kind,
                 {kinds.begin(), kinds.end()});
}

void check_probe(const Checking& check, const std::string& name, const ProviderConfig& provider) {
  if (provider.probe.count() == 0 || provider.kind != "demo") return;
  check.complain({"providers", name, "probe"}, "the demo is in this process and needs no probe");
}

void check_url(const Checking& check, const std::string& name, const ProviderConfig& provider) {
  const Spot* spot = check.spots.find({"providers", name, "base_url"});
  if (spot == nullptr || provider.base_url.empty()) {
    if (!contains(check.surroundings.kinds_without_base_url, provider.kind)) {
      if (spot == nullptr) return;
      return check.complain({"providers", name, "base_url"}, "\"base_url\" must not be empty");
    }
    const Spot* entry = check.spots.find({"providers", name});
    if (entry == nullptr || !entry->usable) return;
    return check.problems.add(entry->key, "\"base_url\" is required for kind " +
                                              quote(provider.kind) + " in " + quote(name));
  }
  const std::string_view wrong = url_problem(provider.base_url, UrlQuery::refused);
  if (!wrong.empty()) {
    check.complain({"providers", name, "base_url"}, "\"base_url\" " + std::string(wrong));
  }
}

bool is_token(std::string_view text) {
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

void check_headers(const Checking& check, const std::string& name, const ProviderConfig& provider) {
  // What frames the message is ours, whatever the file says.
  const std::set<std::string> ours{"host",
                                   "content-length",
                                   "transfer-encoding",
                                   "connection",
                                   "keep-alive",
                                   "upgrade",
                                   "te",
                                   "trailer",
                                   "expect",
                                   "accept-encoding",
                                   "x-request-id",
                                   "proxy-connection"};
  std::set<std::string> seen;
  for (const auto& [header, value] : provider.headers) {
    std::string lower = header;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string wrong;
    if (!is_token(header)) wrong = quote(header) + " is no header name";
    if (ours.contains(lower)) wrong = "the header " + quote(header) + " is set by the gateway";
    if (!seen.insert(lower).second) wrong = "the header " + quote(header) + " stands here twice";
    const Spot* spot = check.spots.find({"providers", name, "headers", header});
    if (!wrong.empty() && spot != nullptr) check.problems.add(spot->key, wrong);
  }
}

void check_keys(const Checking& check, const std::string& name, ProviderConfig& provider) {
  if (provider.api_key && !provider.api_keys.empty()) {
    check.complain({"providers", name, "api_keys"},
                   "\"api_key\" and \"api_keys\" stand here both: one is enough");
  }
  const bool named = provider.api_key || check.spots.find({"providers", name, "api_keys"});
  if (provider.api_key && provider.api_key->value.empty()) provider.api_key.reset();
  std::erase_if(provider.api_keys, [](const Secret& key) { return key.value.empty(); });
  const bool has_key = provider.api_key || !provider.api_keys.empty();
  if (named && !has_key) {
    provider.disabled = true;
    check.notes.push_back("provider " + quote(name) + " is disabled: its key expands to nothing");
  } else if (!has_key && provider.base_url.empty() && provider.headers.empty() &&
             !contains(check.surroundings.kinds_without_key, provider.kind)) {
    check.notes.push_back("provider " + quote(name) +
                          " has no \"api_key\": only tenants with \"provider_keys\" can call it");
  }
}

}  // namespace

std::string_view url_problem(std::string_view url, UrlQuery query) {
  const std::size_t scheme = url.find("://");
  if (scheme == url.npos || (url.substr(0, scheme) != "http" && url.substr(0, scheme) != "https")) {
    return "must begin with http:// or https://";
  }
  if (url.find_first_of(" \"<>\\^`{|}") != url.npos) return "holds a character that no URL has";
  const bool query_allowed = query == UrlQuery::allowed;
  if (url.find_first_of(query_allowed ? "#" : "?#") != url.npos) {
    return query_allowed ? "must have no fragment" : "must have no query and no fragment";
  }
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find('/'));
  if (authority.find('@') != url.npos) return "must not hold a user or password";
  if (authority.empty() || authority.front() == ':') return "has no host";
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == url.npos ? 0 : bracket);
  const std::string with_port =
      colon == url.npos ? std::string(authority) + ":1" : std::string(authority);
  const auto address = parse_host_port(with_port);
  return address && address->port != 0 ? "" : "has no valid host and port";
}

void check_providers(const Checking& check) {
  for (auto& [name, provider] : check.config.providers) {
    const std::string wrong = name_problem(name, false);
    if (!wrong.empty()) {
      const Spot* spot = check.spots.find({"providers", name});
      check.problems.add(spot->key, wrong);
    }
    check_kind(check, name, provider);
    check_probe(check, name, provider);
    check_url(check, name, provider);
    check_headers(check, name, provider);
    check_keys(check, name, provider);
    if (!provider.tls.verify) {
      check.notes.push_back("provider " + quote(name) +
                            ": \"verify: false\" lets anyone on the way read its calls and key");
    }
  }
}

}  // namespace tollgate::config
