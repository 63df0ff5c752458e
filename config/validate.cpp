#include "config/validate.hpp"

#include <algorithm>
#include <unistd.h>

#include "config/text_check.hpp"

namespace tollgate::config {
namespace {

constexpr std::size_t name_bytes_max = 256;

// Two addresses that one process cannot both have.
bool collide(const HostPort& a, const HostPort& b) {
  if (a.port != b.port || a.port == 0) return false;
  const auto any = [](const HostPort& address) {
    return address.host.empty() || address.host == "0.0.0.0" || address.host == "::";
  };
  return any(a) || any(b) || a.host == b.host || (a.loopback() && b.loopback());
}

void check_collisions(const Checking& check) {
  const Listen& listen = check.config.listen;
  if (collide(*listen.admin, listen.http)) {
    const bool named = check.spots.find({"listen", "admin"}) != nullptr;
    check.complain({"listen", named ? "admin" : "http"},
                   "\"admin\" must not listen where the API does (" + listen.http.text() + ")");
  }
  if (!listen.metrics) return;
  if (collide(*listen.metrics, listen.http) || collide(*listen.metrics, *listen.admin)) {
    check.complain({"listen", "metrics"}, "\"metrics\" needs an address of its own");
  }
}

void check_origins(const Checking& check) {
  const auto& origins = check.config.listen.cors;
  for (std::size_t i = 0; i < origins.size(); ++i) {
    const std::string_view origin = origins[i];
    const std::size_t scheme = origin.find("://");
    const bool good =
        origin == "*" || (scheme != 0 && scheme != origin.npos && scheme + 3 < origin.size() &&
                          origin.find_first_of("/?#* ", scheme + 3) == origin.npos);
    if (!good) {
      check.complain({"listen", "cors", std::to_string(i)},
                     "an origin is \"*\" or a scheme and host such as https://app.example");
    }
  }
}

void note_unreadable(const Checking& check, const std::string& path, std::string_view what) {
  if (path.empty()) return;
  check.config.files.push_back(path);
  if (::access(path.c_str(), R_OK) != 0) {
    check.notes.push_back(std::string(what) + ": cannot read " + quote(path));
  }
}

}  // namespace

void Checking::complain(Spots::Path path, std::string message) const {
  const Spot* spot = spots.find(path);
  if (spot != nullptr && spot->usable) problems.add(spot->value, std::move(message));
}

void Checking::complain(Spots::Path path, std::string message, std::string_view word,
                        const std::vector<std::string_view>& candidates) const {
  const Spot* spot = spots.find(path);
  if (spot == nullptr || !spot->usable) return;
  problems.add_with_suggestion(spot->value, std::move(message), word, candidates);
}

std::string Checking::shown(Spots::Path path, std::string_view text) const {
  const Spot* spot = spots.find(path);
  return spot != nullptr && spot->expanded ? "what it expands to" : quote(text);
}

std::string name_problem(std::string_view name, bool wildcard_allowed) {
  if (name.empty()) return "a name must not be empty";
  if (name.size() > name_bytes_max) {
    return "a name may have at most " + std::to_string(name_bytes_max) + " bytes";
  }
  if (has_control(name)) return "a name must not contain control characters";
  const std::size_t star = name.find('*');
  if (star == name.npos) return {};
  if (!wildcard_allowed) return "a \"*\" may not stand here";
  return star + 1 == name.size() ? "" : "a \"*\" may stand only at the end of a name";
}

void check_listen(const Checking& check) {
  Listen& listen = check.config.listen;
  if (!listen.admin) listen.admin = HostPort{"127.0.0.1", 9901};
  check_collisions(check);
  check_origins(check);
  const bool token_given = !listen.admin_token.value.empty();
  if (!listen.admin->loopback() && !token_given) {
    check.complain({"listen", "admin"},
                   "\"admin\" listens beyond loopback: \"admin_token\" is required");
  }
  if (listen.tls) {
    note_unreadable(check, listen.tls->cert_file, "listen.tls.cert_file");
    note_unreadable(check, listen.tls->key_file, "listen.tls.key_file");
  }
  for (const auto& [name, provider] : check.config.providers) {
    note_unreadable(check, provider.tls.ca_file, "providers." + name + ".tls.ca_file");
  }
}

std::vector<std::string> exposure_problems(const Config& config) {
  std::vector<std::string> out;
  const HostPort& http = config.listen.http;
  if (http.loopback()) return out;
  if (config.auth == Auth::none) {
    out.push_back("\"auth: none\" is allowed on loopback only, and the API listens on " +
                  http.text());
  } else if (config.published_demo_key) {
    out.push_back("the published demo key is refused beyond loopback, and the API listens on " +
                  http.text() + ": make a key with `tollgate key new`");
  }
  return out;
}

std::vector<std::string> restart_required(const Config& before, const Config& after) {
  const Listen& a = before.listen;
  const Listen& b = after.listen;
  std::vector<std::string> out;
  if (a.http != b.http) out.emplace_back("listen.http");
  if (a.admin != b.admin) out.emplace_back("listen.admin");
  if (a.metrics != b.metrics) out.emplace_back("listen.metrics");
  if (a.workers != b.workers) out.emplace_back("listen.workers");
  if (before.store != after.store) out.emplace_back("store");
  if (before.ledger != after.ledger) out.emplace_back("ledger");
  const CacheConfig cache_before = before.cache.value_or(CacheConfig{});
  const CacheConfig cache_after = after.cache.value_or(CacheConfig{});
  if (cache_before.store != cache_after.store) out.emplace_back("cache.store");
  if (cache_before.redis != cache_after.redis) out.emplace_back("cache.redis");
  if (cache_before.max_bytes != cache_after.max_bytes) out.emplace_back("cache.max_bytes");
  return out;
}

}  // namespace tollgate::config
