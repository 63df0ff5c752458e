// PriceBook: what models cost, by provider, model, service tier and date; and what they can take
// (context window, largest output). Read from YAML at load and validated like the configuration,
// immutable afterwards. Any thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/core/clock.hpp"
#include "gateway/core/money.hpp"

namespace tollgate::config {

/// Nano-dollars a million tokens: `0.15` in the file is 150,000,000. Absent: not said (M12).
struct Rates {
  std::optional<NanoUsd> input{}, cache_read{}, cache_write{}, cache_write_1h{};
  std::optional<NanoUsd> output{}, reasoning{}, audio_input{}, audio_output{};
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
  std::string version;                      ///< names the row and its figures in ledger rows:
                                            ///< `prices.yaml@3f2a91:openai/gpt-4o-mini`

  /// The rates of a prompt of that many tokens, cached ones included.
  [[nodiscard]] Rates rates_for(std::uint64_t prompt_tokens) const;
};

class PriceBook {
 public:
  PriceBook() = default;
  /// Later rows win over earlier ones of equal specificity and date. A service tier's row takes
  /// what it does not say about the model (context window, ...) from the default tier's.
  explicit PriceBook(std::vector<PriceRow> rows);

  /// The row that holds at `when`: `provider` is tried before `kind`; an exact model beats the
  /// longest prefix; then the latest `from` that has begun. `service_tier` must be equal. nullptr:
  /// no price is known. Allocates nothing.
  [[nodiscard]] const PriceRow* find(std::string_view provider, std::string_view kind,
                                     std::string_view model, std::string_view service_tier,
                                     SystemTime when) const;
  /// Every row of that model which is in force, one for each service tier (bounds look at all, M2),
  /// the default tier first.
  [[nodiscard]] std::vector<const PriceRow*> all_tiers(std::string_view provider,
                                                       std::string_view kind,
                                                       std::string_view model,
                                                       SystemTime when) const;
  /// The same into `out` without allocation. `out.add(row)` is called for the first row of each
  /// service tier that `out.has(tier)` denies.
  template <class Out>
  void collect_tiers(std::string_view provider, std::string_view kind, std::string_view model,
                     SystemTime when, Out& out) const;
  /// The provider's row with the dearest output (`prices.unknown: estimate`), or nullptr.
  [[nodiscard]] const PriceRow* dearest(std::string_view provider, std::string_view kind,
                                        SystemTime when) const;
  [[nodiscard]] const std::vector<PriceRow>& rows() const { return rows_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Indices = std::vector<std::uint32_t>;  ///< by tier, in it the latest `from` first
  struct Prefix {
    std::string text;  ///< without its `*`
    Indices rows;
    std::uint32_t parent = none;  ///< the longest other prefix that this one begins with
  };
  struct Provider {
    std::unordered_map<std::string, Indices, Hash, std::equal_to<>> exact;
    std::vector<Prefix> prefixes;  ///< sorted
    Indices by_output;             ///< the dearest first
  };
  static constexpr std::uint32_t none = UINT32_MAX;

  void sort_rows(Indices& rows) const;
  void fill_tiers(const Indices& rows);
  void finish(Provider& provider);
  [[nodiscard]] const Provider* provider_of(std::string_view name) const;
  /// Calls `each(rows)` for exact rows of the model, then for its prefixes, the longest first,
  /// until it returns true.
  template <class Each>
  static bool walk(const Provider& provider, std::string_view model, Each each);
  [[nodiscard]] bool begun(std::uint32_t row, SystemTime when) const {
    return rows_[row].from <= when;
  }
  [[nodiscard]] bool superseded(const Provider& provider, const PriceRow& row,
                                SystemTime when) const;

  std::vector<PriceRow> rows_;
  std::unordered_map<std::string, Provider, Hash, std::equal_to<>> providers_;
};

template <class Each>
bool PriceBook::walk(const Provider& provider, std::string_view model, Each each) {
  const auto exact = provider.exact.find(model);
  if (exact != provider.exact.end() && each(exact->second)) return true;
  const auto& prefixes = provider.prefixes;
  std::size_t low = 0, high = prefixes.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    prefixes[middle].text <= model ? low = middle + 1 : high = middle;
  }
  // Whatever begins the model begins the greatest prefix that is not behind it.
  for (std::uint32_t at = low == 0 ? none : static_cast<std::uint32_t>(low - 1); at != none;
       at = prefixes[at].parent) {
    if (model.starts_with(prefixes[at].text) && each(prefixes[at].rows)) return true;
  }
  return false;
}

template <class Out>
void PriceBook::collect_tiers(std::string_view provider, std::string_view kind,
                              std::string_view model, SystemTime when, Out& out) const {
  const auto take = [&](const Indices& rows) {
    for (const std::uint32_t row : rows) {
      if (begun(row, when) && !out.has(rows_[row].service_tier)) out.add(rows_[row]);
    }
    return false;
  };
  for (const std::string_view name : {provider, kind}) {
    const Provider* found = provider_of(name);
    if (found != nullptr) walk(*found, model, take);
    if (provider == kind) break;
  }
}

/// The books of one configuration. Made by loading, shared by its copies.
struct Prices {
  PriceBook shared;                          ///< `prices.files` in order, or the shipped book
  std::map<std::string, PriceBook> tenants;  ///< of tenants with `prices.files` of their own
};

}  // namespace tollgate::config
