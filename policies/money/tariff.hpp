// Tariff: what one target's tokens cost one tenant at one time. Resolves the precedence of price
// sources (M12): the tenant's own files, the provider's `price`, the price book. Pure; asked on the
// call's worker, or once when a plan is built.
#pragma once
#include <optional>
#include <string_view>

#include "config/config.hpp"
#include "config/price_book.hpp"

namespace tollgate::policies {

/// Where a price is asked for. Views outlive the tariff.
struct PriceQuery {
  std::string_view tenant, provider, kind, model;
  SystemTime when{};
};

/// All rows that a call to this target may be charged by. `rows` has the default tier first, then
/// the others; empty: the price is unknown.
struct Tariff {
  std::vector<const config::PriceRow*> rows;
  bool estimated = false;  ///< `unknown: estimate`: the provider's dearest row stands in
  [[nodiscard]] bool known() const { return !rows.empty() && !estimated; }
  /// The row of the tier that a reply named (`default`, `standard` and empty are one), or nullptr.
  [[nodiscard]] const config::PriceRow* row(std::string_view service_tier) const;
};

class Tariffs {
 public:
  explicit Tariffs(const config::Config& config);
  /// A small copy; no allocation beyond its vector.
  [[nodiscard]] Tariff find(const PriceQuery& query) const;

 private:
  const config::Config& config_;
  std::map<std::string, config::PriceRow, std::less<>> by_provider_;  // `providers.x.price` as rows
};

}  // namespace tollgate::policies
