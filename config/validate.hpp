// Validation: what no single value can tell. References, uniqueness, exposure, URLs, wildcards.
// Called by load.cpp after reading; adds to `problems` and `notes`, finishes `config` (disabled
// providers, defaults that depend on other keys). Pure but for the readability of named files.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/read.hpp"

namespace tollgate::config {

struct Checking {
  Config& config;
  const Spots& spots;
  const Surroundings& surroundings;
  Problems& problems;
  std::vector<std::string>& notes;

  /// Reports at the value of that path; nothing where the file lacks it or it was refused already.
  void complain(Spots::Path path, std::string message) const;
  void complain(Spots::Path path, std::string message, std::string_view word,
                const std::vector<std::string_view>& candidates) const;
  /// `"text"`, unless it came out of an expansion.
  [[nodiscard]] std::string shown(Spots::Path path, std::string_view text) const;
};

void check_listen(const Checking& check);
void check_providers(const Checking& check);
void check_models(const Checking& check);
void check_tenants(const Checking& check);
void check_cache(const Checking& check);
/// Tiers, parents, budgets, former names; merges tiers and reads the price books.
void check_money(const Checking& check);
/// Where limits and budgets are kept; after `check_money`, which completes the budgets.
void check_store(const Checking& check);

/// One Redis, that of `store` or of `cache`.
void check_redis(const Checking& check, std::string_view section, const RedisConfig& redis);

enum class UrlQuery : std::uint8_t { refused, allowed };
/// What is wrong with a http or https URL, or nothing; never shows it: a password may stand in it.
[[nodiscard]] std::string_view url_problem(std::string_view url, UrlQuery query);

/// `*` only at the end, text without control characters, at most 256 bytes; else what is wrong.
[[nodiscard]] std::string name_problem(std::string_view name, bool wildcard_allowed);

}  // namespace tollgate::config
