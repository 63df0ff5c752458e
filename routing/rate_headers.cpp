#include "routing/rate_headers.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "config/values.hpp"
#include "routing/providers/error_table.hpp"

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest = std::chrono::hours(1);
constexpr std::string_view plain = "x-ratelimit-remaining-";
constexpr std::string_view anthropic = "anthropic-ratelimit-", remaining = "-remaining";

bool begins(std::string_view text, std::string_view with) {
  return iequals(text.substr(0, with.size()), with);
}
bool ends(std::string_view text, std::string_view with) {
  return text.size() > with.size() && iequals(text.substr(text.size() - with.size()), with);
}

/// The reset that belongs to a header which says that nothing remains.
std::optional<milliseconds> reset_of(std::string_view name, const HeaderFields& headers) {
  if (begins(name, plain)) {
    const std::string_view kind = name.substr(plain.size());
    return parse_delay(headers.find("x-ratelimit-reset-" + std::string(kind)));
  }
  if (!begins(name, anthropic) || !ends(name, remaining)) return std::nullopt;
  const std::string_view kind = name.substr(0, name.size() - remaining.size());
  const auto until = config::parse_time(headers.find(std::string(kind) + "-reset"));
  const auto now = http_date(headers.find("date"));
  if (!until || !now) return std::nullopt;
  return std::max(milliseconds(*until - *now), milliseconds(0));
}

}  // namespace

std::optional<milliseconds> nothing_left_for(const HeaderFields& headers) {
  std::optional<milliseconds> wait;
  for (const HeaderView header : headers) {
    if (header.value != "0") continue;
    const auto reset = reset_of(header.name, headers);
    if (reset) wait = std::max(wait.value_or(milliseconds(0)), std::min(*reset, longest));
  }
  return wait;
}

}  // namespace tollgate::routing
