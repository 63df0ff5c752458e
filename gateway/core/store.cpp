#include "gateway/core/store.hpp"

#include <array>

namespace tollgate {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::sys_days;
using std::chrono::year_month_day;

sys_days first_of_month(sys_days day) {
  const year_month_day date(day);
  return date.year() / date.month() / 1;
}

}  // namespace

std::string_view to_string(ScopeKind kind) {
  constexpr std::array<std::string_view, 4> names{"tenant", "key", "user", "model"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(Per per) {
  constexpr std::array<std::string_view, per_count> names{"hour", "day", "week", "month", "total"};
  return names[static_cast<std::size_t>(per)];
}

SystemTime window_start(Per per, SystemTime time) {
  const sys_days day = floor<days>(time);
  switch (per) {
    case Per::hour:
      return floor<std::chrono::hours>(time);
    case Per::day:
      return day;
    case Per::week:
      return day - (std::chrono::weekday(day) - std::chrono::Monday);
    case Per::month:
      return first_of_month(day);
    case Per::total:
      break;
  }
  return SystemTime{};
}

SystemTime window_end(Per per, SystemTime time) {
  const SystemTime start = window_start(per, time);
  switch (per) {
    case Per::hour:
      return start + std::chrono::hours(1);
    case Per::day:
      return start + days(1);
    case Per::week:
      return start + days(7);
    case Per::month:
      return first_of_month(floor<days>(start) + days(31));
    case Per::total:
      break;
  }
  return SystemTime::max();
}

std::string Scope::label() const { return std::string(to_string(kind)) + ":" + name; }

}  // namespace tollgate
