#include <algorithm>
#include <array>
#include <limits>

#include "config/load.hpp"

namespace tollgate::config {
namespace {

constexpr std::size_t distance_max = 2;
constexpr std::size_t word_bytes_max = 128;

// Levenshtein distance by one row of the table.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, word_bytes_max + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view suggest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = distance_max + 1;
  if (word.empty() || word.size() > word_bytes_max) return best;
  for (const std::string_view candidate : candidates) {
    const auto [low, high] = std::minmax({candidate.size(), word.size()});
    if (high > word_bytes_max || high - low > distance_max) continue;
    const std::size_t edits = distance(word, candidate);
    // A word that shares no letter with the candidate is no misspelling of it.
    if (edits >= best_distance || edits >= high) continue;
    best = candidate;
    best_distance = edits;
  }
  return best;
}

}  // namespace tollgate::config
