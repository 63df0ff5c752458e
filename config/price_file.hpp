// Price files: YAML text -> rows of a price book, or every error at once with file, line, column
// and likely spelling, like the configuration's own. Called by loading, for each of `prices.files`
// and of the tenants' files. Pure; any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/price_book.hpp"
#include "config/problems.hpp"

namespace tollgate::config {

/// The rows of one file, in its order; those with a problem are left out. `name` stands in
/// messages, its last component and a hash of `text` in each row's version. Nothing is expanded in
/// it.
[[nodiscard]] std::vector<PriceRow> read_prices(std::string_view text, const std::string& name,
                                                Problems& problems);

/// The shipped config/prices.yaml, embedded at build time.
[[nodiscard]] std::string_view shipped_prices();
inline constexpr std::string_view shipped_prices_name = "prices.yaml";
/// Its rows as a book, read once: 1,700 of them cost 60 ms, which each load would pay.
[[nodiscard]] const PriceBook& shipped_price_book();

/// US dollars as nano-dollars: `0`, `3`, `0.075`; at most nine decimals, at most a million. No
/// sign, no exponent, no leading zero.
[[nodiscard]] std::optional<NanoUsd> parse_price(std::string_view text);

}  // namespace tollgate::config
