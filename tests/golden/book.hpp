// What the golden tools that price something share: a price book out of a file. A file with a
// problem ends the process.
#pragma once
#include <memory>
#include <string>

#include "config/price_book.hpp"

namespace tollgate::golden {

/// The shared book of the price file at `path`.
[[nodiscard]] std::shared_ptr<const config::Prices> read_book(const std::string& path);

}  // namespace tollgate::golden
