#include "routing/providers/anthropic_models.hpp"

#include <algorithm>
#include <array>

namespace tollgate::routing::anthropic {
namespace {

constexpr std::string_view any_family;

/// `family` and every version from `from` on, until an earlier row takes it.
struct Row {
  std::string_view family;
  ModelVersion from;
  ModelTraits traits;
};

constexpr ModelTraits legacy(std::int64_t max_output, Thinking thinking) {
  return {.max_output = max_output, .thinking = thinking, .schema_output = false, .prefill = true};
}
constexpr ModelTraits budget(std::int64_t max_output, bool schema_output) {
  return {.max_output = max_output,
          .thinking = Thinking::budget,
          .schema_output = schema_output,
          .prefill = true};
}
/// Opus 4.7 and what came after it.
constexpr ModelTraits modern(bool thinks_unasked, bool disabled_caps_effort) {
  return {.max_output = 128000,
          .thinking = Thinking::adaptive,
          .sampling = false,
          .effort_xhigh = true,
          .thinks_unasked = thinks_unasked,
          .disabled_caps_effort = disabled_caps_effort};
}

/// What a name without a readable version gets, and one that is newer than this table.
constexpr ModelTraits newest = modern(true, true);

/// Newest first; the first row that fits holds.
constexpr std::array rows{
    Row{any_family, {5, 1}, newest},
    Row{"sonnet", {5, 0}, modern(true, false)},
    Row{"fable", {5, 0}, modern(false, false)},
    Row{any_family, {5, 0}, newest},
    Row{any_family, {4, 7}, modern(false, false)},
    Row{any_family, {4, 6}, {.max_output = 128000, .thinking = Thinking::either}},
    Row{any_family, {4, 5}, budget(64000, true)},
    Row{any_family, {4, 1}, budget(32000, true)},
    Row{"opus", {4, 0}, budget(32000, false)},
    Row{any_family, {4, 0}, budget(64000, false)},
    Row{any_family, {3, 7}, legacy(64000, Thinking::budget)},
    Row{any_family, {3, 5}, legacy(8192, Thinking::none)},
    Row{any_family, {0, 1}, legacy(4096, Thinking::none)},
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }

std::string_view take_word(std::string_view& text) {
  const auto begin = std::ranges::find_if(text, is_word);
  const auto end = std::find_if_not(begin, text.end(), is_word);
  const std::string_view word(begin, end);
  text = std::string_view(end, text.end());
  return word;
}

/// 1 to 99; 0 for a word, and for a date.
int small_number(std::string_view word) {
  if (word.empty() || word.size() > 2 || !std::ranges::all_of(word, is_digit)) return 0;
  int value = 0;
  for (const char c : word)
    value = value * 10 + (c - '0');
  return value;
}

std::string_view behind_brand(std::string_view model) {
  constexpr std::string_view brand = "claude";
  const auto at = model.rfind(brand);
  return at == std::string_view::npos ? std::string_view() : model.substr(at + brand.size());
}

}  // namespace

ModelVersion model_version(std::string_view model) {
  std::string_view rest = behind_brand(model);
  while (!rest.empty()) {
    const int major = small_number(take_word(rest));
    if (major == 0) continue;
    return {major, small_number(take_word(rest))};
  }
  return {};
}

const ModelTraits& model_traits(std::string_view model) {
  const ModelVersion version = model_version(model);
  for (const Row& row : rows) {
    const bool fits = row.family == any_family || behind_brand(model).contains(row.family);
    if (fits && version >= row.from) return row.traits;
  }
  return newest;
}

}  // namespace tollgate::routing::anthropic
