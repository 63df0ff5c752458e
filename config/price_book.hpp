// PriceBook: what models cost, by provider, model, service tier and date; and what they can take
// (context window, largest output). Read from YAML at load and validated like the configuration,
// immutable afterwards. Any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/core/clock.hpp"
#include "gateway/core/money.hpp"

namespace tollgate::config {

/// Nano-dollars a million tokens: `0.15` in the file is 150,000,000. Absent: not said (M12).
struct Rates {
  std::optional<NanoUsd> input, cache_read, cache_write, cache_write_1h, output, reasoning;
  std::optional<NanoUsd> audio_input, audio_output;
  bool operator==(const Rates&) const = default;
};

/// Rates of prompts longer than `above` tokens (cached ones included); what it does not name keeps
/// the row's.
struct LengthTier {
  std::uint64_t above = 0;
  Rates rates;
};

struct PriceRow {
  std::string provider;  ///< a provider's name in the operator's file or, failing that, a kind
  std::string model;     ///< the provider's name for it; a trailing `*` matches the rest
  std::chrono::sys_seconds from{};
  std::string service_tier;  ///< empty: the default tier
  Rates rates;
  std::vector<LengthTier> tiers;                       ///< ascending
  std::optional<NanoUsd> image, request;               ///< each
  std::vector<std::pair<std::string, NanoUsd>> tools;  ///< `web_search`: a use
  std::optional<std::uint64_t> context_window, max_output;
  std::optional<std::uint64_t> overhead;    ///< tokens that the provider adds to a request (M3)
  std::optional<std::uint32_t> output_tps;  ///< tokens a second at most (M11)
  std::string version;  ///< names the row and its figures in ledger rows: `prices.yaml@3f2a91:openai/gpt-4o-mini`
};

class PriceBook {
 public:
  PriceBook() = default;
  /// Later rows win over earlier ones of equal specificity and date.
  explicit PriceBook(std::vector<PriceRow> rows);

  /// The row that holds at `when`: `provider` is tried before `kind`; an exact model beats the
  /// longest prefix; then the latest `from` that has begun. `service_tier` must be equal. nullptr:
  /// no price is known.
  [[nodiscard]] const PriceRow* find(std::string_view provider, std::string_view kind,
                                     std::string_view model, std::string_view service_tier,
                                     SystemTime when) const;
  /// Every row of that model which is in force, one for each service tier (bounds look at all, M2).
  [[nodiscard]] std::vector<const PriceRow*> all_tiers(std::string_view provider,
                                                       std::string_view kind,
                                                       std::string_view model,
                                                       SystemTime when) const;
  /// The provider's row with the dearest output (`prices.unknown: estimate`), or nullptr.
  [[nodiscard]] const PriceRow* dearest(std::string_view provider, std::string_view kind,
                                        SystemTime when) const;
  [[nodiscard]] const std::vector<PriceRow>& rows() const { return rows_; }

 private:
  std::vector<PriceRow> rows_;
  // What find() walks is the PRICES room's own business.
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> by_provider_;
};

/// The books of one configuration. Made by loading, shared by its copies.
struct Prices {
  PriceBook shared;                          ///< `prices.files` in order, or the shipped book
  std::map<std::string, PriceBook> tenants;  ///< of tenants with `prices.files` of their own
};

}  // namespace tollgate::config
