// What the tests of this folder share: rows from YAML lines, and the report of what is wrong.
#pragma once
#include <string>
#include <vector>

#include "config/price_file.hpp"
#include "config/values.hpp"

namespace tollgate::config {

/// Rows of `lines`, each one a flow mapping; every problem on a line of its own behind `problems`.
inline std::vector<PriceRow> rows_of(const std::vector<std::string>& lines,
                                     std::string* report = nullptr) {
  std::string text = "prices:\n";
  for (const std::string& line : lines)
    text += "  - " + line + "\n";
  Problems problems;
  std::vector<PriceRow> rows = read_prices(text, "dir/p.yaml", problems);
  for (const Problem& problem : problems.take()) {
    if (report != nullptr) *report += problem.text() + "\n";
  }
  return rows;
}

inline SystemTime day(std::string_view text) { return *parse_time(text); }

}  // namespace tollgate::config
