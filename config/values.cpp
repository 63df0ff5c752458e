#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "config/load.hpp"

namespace tollgate::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 5> duration_units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 4> size_units{
    {{"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"TiB", 1ULL << 40U}}};
constexpr std::uint64_t duration_ms_max = 3650ULL * 86'400'000ULL;
constexpr std::uint64_t bytes_max = 1ULL << 50U;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits(std::string_view text) {
  const auto* end = std::find_if_not(text.begin(), text.end(), is_digit);
  return static_cast<std::size_t>(end - text.begin());
}

// `12unit` -> 12 * factor, when the unit is in the table and the product within `max`.
template <std::size_t N>
std::optional<std::uint64_t> scaled(std::string_view text, const std::array<Unit, N>& units,
                                    std::uint64_t max) {
  const std::size_t cut = digits(text);
  const auto count = parse_whole(text.substr(0, cut));
  const auto* unit = std::find_if(units.begin(), units.end(),
                                  [&](const Unit& u) { return u.name == text.substr(cut); });
  if (!count || unit == units.end() || *count > max / unit->factor) return std::nullopt;
  return *count * unit->factor;
}

// The largest unit that divides `amount`; `plain` where none does.
template <std::size_t N>
std::string in_largest_unit(std::uint64_t amount, const std::array<Unit, N>& units,
                            std::string_view plain) {
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (amount != 0 && amount % unit->factor == 0) {
      return std::to_string(amount / unit->factor) + std::string(unit->name);
    }
  }
  return std::to_string(amount) + std::string(plain);
}

// One JSON number, no more.
bool is_json_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t whole = digits(text);
  if (whole == 0 || (whole > 1 && text.front() == '0')) return false;
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    const std::size_t fraction = digits(text.substr(1));
    if (fraction == 0) return false;
    text.remove_prefix(1 + fraction);
  }
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
  return !text.empty() && digits(text) == text.size();
}

// 0x1F, 0o17, .inf, .nan, +1, .5, 5., 012: numbers to some YAML reader.
bool is_other_number(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  for (const std::string_view word : {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"}) {
    if (text == word) return true;
  }
  const auto all = [](std::string_view rest, auto test) {
    return !rest.empty() && std::all_of(rest.begin(), rest.end(), test);
  };
  if (text.starts_with("0x")) {
    return all(text.substr(2), [](char c) { return std::isxdigit(static_cast<unsigned char>(c)); });
  }
  if (text.starts_with("0o")) return all(text.substr(2), is_digit);
  const std::size_t exponent = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, exponent);
  if (exponent != std::string_view::npos &&
      !is_json_number("0" + std::string(text.substr(exponent)))) {
    return false;
  }
  const std::size_t whole = digits(mantissa);
  mantissa.remove_prefix(whole);
  if (mantissa.empty()) return whole > 0;
  if (mantissa.front() != '.') return false;
  mantissa.remove_prefix(1);
  return digits(mantissa) == mantissa.size() && whole + mantissa.size() > 0;
}

// A field of fixed width at the front of `text`, cut off it.
std::optional<int> take_number(std::string_view& text, std::size_t width) {
  if (digits(text.substr(0, width)) != width || text.size() < width) return std::nullopt;
  int value = 0;
  std::from_chars(text.data(), text.data() + width, value);
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<std::chrono::seconds> take_clock(std::string_view& text, bool with_seconds) {
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  std::chrono::seconds sum = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  if (!with_seconds) return sum;
  if (!take(text, ":")) return std::nullopt;
  const auto seconds = take_number(text, 2);
  if (!seconds || *seconds > 60) return std::nullopt;  // 60: a leap second
  return sum + std::chrono::seconds(*seconds);
}

// `Z` or `+02:00`, all that is left of `text`.
std::optional<std::chrono::seconds> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::seconds(0);
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto offset = take_clock(text, false);
  if (!offset || !text.empty()) return std::nullopt;
  return west ? -*offset : *offset;
}

}  // namespace

Plain classify(std::string_view text) {
  for (const std::string_view word : {"", "~", "null", "Null", "NULL"}) {
    if (text == word) return Plain::null;
  }
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) return Plain::boolean;
  }
  if (is_json_number(text)) return Plain::number;
  return is_other_number(text) ? Plain::not_json : Plain::text;
}

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  if (text.empty() || digits(text) != text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;  // octal to some readers
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration(0);
  const auto milliseconds = scaled(text, duration_units, duration_ms_max);
  if (!milliseconds) return std::nullopt;
  return Duration(static_cast<Duration::rep>(*milliseconds));
}

std::optional<Bytes> parse_bytes(std::string_view text) {
  auto count = parse_whole(text);
  if (!count) count = scaled(text, size_units, bytes_max);
  if (!count || *count > bytes_max) return std::nullopt;
  return Bytes{*count};
}

std::optional<std::chrono::sys_seconds> parse_time(std::string_view text) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  if (text.empty()) return std::chrono::sys_seconds(*date);
  if (!take(text, "Tt ")) return std::nullopt;
  const auto clock = take_clock(text, true);
  if (!clock) return std::nullopt;
  if (take(text, ".")) {
    const std::size_t fraction = digits(text);
    if (fraction == 0) return std::nullopt;
    text.remove_prefix(fraction);
  }
  const auto offset = parse_offset(text);
  if (!offset) return std::nullopt;
  return *date + *clock - *offset;
}

std::string to_text(Duration duration) {
  const auto count = static_cast<std::uint64_t>(std::max<Duration::rep>(0, duration.count()));
  return count == 0 ? "0s" : in_largest_unit(count, duration_units, "ms");
}

std::optional<HedgeAfter> parse_hedge_after(std::string_view text) {
  if (text.starts_with('p')) {
    const auto percentile = parse_whole(text.substr(1));
    if (!percentile || *percentile < 50 || *percentile > 99) return std::nullopt;
    return HedgeAfter{.percentile = static_cast<std::uint32_t>(*percentile), .time = {}};
  }
  const auto time = parse_duration(text);
  if (!time || time->count() == 0) return std::nullopt;
  return HedgeAfter{.percentile = 0, .time = *time};
}

std::string to_text(HedgeAfter after) {
  return after.percentile == 0 ? to_text(after.time) : "p" + std::to_string(after.percentile);
}

std::string to_text(Bytes bytes) { return in_largest_unit(bytes.count, size_units, ""); }

std::string to_text(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto two = [](auto number) {
    const std::string text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  std::string year = std::to_string(static_cast<int>(date.year()));
  year.insert(0, 4 - std::min<std::size_t>(4, year.size()), '0');
  return year + "-" + two(static_cast<unsigned>(date.month())) + "-" +
         two(static_cast<unsigned>(date.day())) + "T" + two(clock.hours().count()) + ":" +
         two(clock.minutes().count()) + ":" + two(clock.seconds().count()) + "Z";
}

/// A decimal number as so many of its last decimals; no sign, no exponent.
static std::optional<std::uint64_t> parse_fixed(std::string_view text, std::size_t decimals) {
  const std::size_t point = text.find('.');
  const auto whole = parse_whole(text.substr(0, point));
  std::string fraction;
  if (point != std::string_view::npos) fraction = text.substr(point + 1);
  const bool digits = fraction.find_first_not_of("0123456789") == std::string::npos;
  const bool empty = point != std::string_view::npos && fraction.empty();
  if (!whole || empty || !digits || fraction.size() > decimals) return std::nullopt;
  fraction.append(decimals - fraction.size(), '0');
  std::uint64_t scale = 1, rest = 0;
  for (const char digit : fraction) {
    scale *= 10;
    rest = rest * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  constexpr std::uint64_t most = 9'000'000'000;
  if (*whole > most) return std::nullopt;
  return *whole * scale + rest;
}

std::optional<NanoUsd> parse_usd(std::string_view text) {
  const auto nano = parse_fixed(text, 9);
  if (!nano || *nano > static_cast<std::uint64_t>(nano_max)) return std::nullopt;
  return static_cast<NanoUsd>(*nano);
}

std::optional<std::uint32_t> parse_share(std::string_view text) {
  const auto permille = parse_fixed(text, 3);
  if (!permille || *permille < 1 || *permille > 1000) return std::nullopt;
  return static_cast<std::uint32_t>(*permille);
}

std::string to_text(Share share) { return usd_text(NanoUsd{share.permille} * 1'000'000); }

}  // namespace tollgate::config
