// Tariff: what one target's tokens cost one tenant at one time. Resolves the precedence of price
// sources (M12): the tenant's own files, the provider's `price`, the price book. Pure; asked on the
// call's worker, or once when a plan is built.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/price_book.hpp"

namespace tollgate::policies {

/// Where a price is asked for. Views outlive the tariff.
struct PriceQuery {
  std::string_view tenant, provider, kind, model;
  SystemTime when{};
};

/// A few rows without allocation, one for each service tier, the default one first.
class TariffRows {
 public:
  TariffRows() = default;
  TariffRows(std::initializer_list<const config::PriceRow*> rows) {
    for (const config::PriceRow* row : rows)
      push_back(row);
  }
  /// Beyond `most` tiers the rest is left out: a reply that names one has an unknown price.
  void push_back(const config::PriceRow* row);
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const config::PriceRow* const* begin() const { return rows_.data(); }
  [[nodiscard]] const config::PriceRow* const* end() const { return rows_.data() + size_; }
  [[nodiscard]] const config::PriceRow* operator[](std::size_t i) const { return rows_[i]; }
  [[nodiscard]] const config::PriceRow* front() const { return rows_[0]; }

 private:
  static constexpr std::size_t most = 12;
  std::array<const config::PriceRow*, most> rows_{};
  std::size_t size_ = 0;
};

/// All rows that a call to this target may be charged by. `rows` has the default tier first, then
/// the others; empty: the price is unknown.
struct Tariff {
  TariffRows rows;
  bool estimated = false;  ///< `unknown: estimate`: the provider's dearest row stands in
  const config::PriceRow* any_tier = nullptr;  ///< holds for tiers without a row, where not nullptr
  const config::PriceRow* facts = nullptr;     ///< says what the model takes where the rows do not

  [[nodiscard]] bool known() const { return !rows.empty() && !estimated; }
  /// The row of the tier that a reply named (`default`, `standard` and empty are one), or nullptr.
  [[nodiscard]] const config::PriceRow* row(std::string_view service_tier) const;
  // What the model takes: by the first row that says it, else by the book's.
  [[nodiscard]] std::optional<std::uint64_t> context_window() const;
  [[nodiscard]] std::optional<std::uint64_t> max_output() const;
  [[nodiscard]] std::optional<std::uint64_t> overhead() const;
  [[nodiscard]] std::optional<std::uint32_t> output_tps() const;
};

/// True for the names by which providers report that no tier was asked for.
[[nodiscard]] bool is_default_tier(std::string_view service_tier);

class Tariffs {
 public:
  /// `config` outlives it.
  explicit Tariffs(const config::Config& config);
  /// A small copy; no allocation.
  [[nodiscard]] Tariff find(const PriceQuery& query) const;

 private:
  const config::Config& config_;
  std::map<std::string, config::PriceRow, std::less<>> by_provider_;  // `providers.x.price` as rows
};

}  // namespace tollgate::policies
