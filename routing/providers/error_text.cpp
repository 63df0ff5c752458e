// The text half of the error table: delays as providers write them, and what must not be shown.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "config/values.hpp"
#include "gateway/core/http.hpp"
#include "routing/providers/error_table.hpp"

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;

constexpr double day_ms = 24.0 * 3600 * 1000;

milliseconds clamp_ms(double ms) {
  if (!(ms > 0)) return milliseconds(0);  // NaN too
  return milliseconds(static_cast<std::int64_t>(std::ceil(std::min(ms, day_ms))));
}

std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

struct Unit {
  std::string_view name;
  double ms;
};
/// Longest names first: "ms" must not be read as "m".
constexpr std::array units{Unit{"ms", 1}, Unit{"us", 0.001}, Unit{"h", 3600000}, Unit{"m", 60000},
                           Unit{"s", 1000}};

std::optional<double> take_unit(std::string_view& text) {
  for (const Unit& unit : units) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.ms;
  }
  return std::nullopt;
}

int digits(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

}  // namespace

std::optional<std::chrono::sys_seconds> http_date(std::string_view text) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  text = trim(text);
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return {};
  const auto month = months.find(text.substr(8, 3));
  const int day = digits(text.substr(5, 2)), year = digits(text.substr(12, 4));
  const int hour = digits(text.substr(17, 2)), minute = digits(text.substr(20, 2));
  const int second = digits(text.substr(23, 2));
  if (month == std::string_view::npos || month % 3 != 0) return {};
  if (day < 1 || year < 0 || hour < 0 || minute < 0 || second < 0) return {};
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return {};
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

namespace {

std::optional<milliseconds> retry_after_seconds(const HeaderFields& headers) {
  const std::string_view text = headers.find("retry-after");
  if (auto delay = parse_delay(text)) return delay;
  const auto until = http_date(text), now = http_date(headers.find("date"));
  if (!until || !now) return std::nullopt;
  return clamp_ms(static_cast<double>((*until - *now).count()) * 1000);
}

std::optional<milliseconds> retry_after_ms(const HeaderFields& headers) {
  std::string_view text = trim(headers.find("retry-after-ms"));
  const auto value = take_number(text);
  if (!value || !text.empty()) return std::nullopt;
  return clamp_ms(*value);
}

/// The headers of one limit.
struct Quota {
  std::string_view remaining, reset;
};

constexpr std::array quotas{
    Quota{"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
    Quota{"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
    Quota{"anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"},
    Quota{"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"},
    Quota{"anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"},
    Quota{"anthropic-ratelimit-output-tokens-remaining",
          "anthropic-ratelimit-output-tokens-reset"}};

struct SecretForm {
  std::string_view prefix;
  std::size_t least;  ///< characters behind the prefix; below it is ordinary text
};
constexpr std::array secret_forms{
    SecretForm{"sk-", 8},   SecretForm{"AIza", 16},    SecretForm{"gsk_", 8},
    SecretForm{"xai-", 16}, SecretForm{"pplx-", 16},   SecretForm{"hf_", 16},
    SecretForm{"tg-", 20},  SecretForm{"AKIA", 16},    SecretForm{"ya29.", 16},
    SecretForm{"key=", 8},  SecretForm{"Bearer ", 16}, SecretForm{"bearer ", 16}};

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool secret_char(char c) {
  return word_char(c) || c == '-' || c == '_' || c == '.' || c == '*' || c == '+' || c == '/' ||
         c == '=' || c == '~';
}

/// Length of the secret behind `prefix` at the front of `text`, its full stop left out.
std::size_t secret_length(std::string_view text, const SecretForm& form) {
  if (!text.starts_with(form.prefix)) return 0;
  std::size_t end = form.prefix.size();
  while (end < text.size() && secret_char(text[end]))
    ++end;
  while (end > form.prefix.size() && text[end - 1] == '.')
    --end;
  return end - form.prefix.size() >= form.least ? end : 0;
}

}  // namespace

std::optional<milliseconds> parse_delay(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  double total = 0;
  for (bool first = true; !text.empty(); first = false) {
    const auto value = take_number(text);
    if (!value) return std::nullopt;
    if (first && text.empty()) return clamp_ms(*value * 1000);
    const auto unit = take_unit(text);
    if (!unit) return std::nullopt;
    total += *value * *unit;
  }
  return clamp_ms(total);
}

std::optional<milliseconds> retry_after(const HeaderFields& headers) {
  const auto fine = retry_after_ms(headers), coarse = retry_after_seconds(headers);
  if (!fine) return coarse;
  return coarse ? std::max(*fine, *coarse) : fine;
}

std::optional<milliseconds> reset_wait(const HeaderFields& headers) {
  std::optional<milliseconds> longest;
  for (const Quota& quota : quotas) {
    const std::string_view left = trim(headers.find(quota.remaining));
    if (left != "0") continue;
    const std::string_view reset = headers.find(quota.reset);
    auto wait = parse_delay(reset);
    const auto until = config::parse_time(trim(reset)), now = http_date(headers.find("date"));
    if (!wait && until && now) {
      wait = clamp_ms(static_cast<double>((*until - *now).count()) * 1000);
    }
    if (wait && (!longest || *longest < *wait)) longest = wait;
  }
  return longest;
}

std::string mask_secrets(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    std::string_view prefix;
    for (const SecretForm& form : secret_forms) {
      if (at > 0 && word_char(text[at - 1])) break;
      length = secret_length(text.substr(at), form);
      prefix = form.prefix;
      if (length != 0) break;
    }
    if (length == 0) {
      out += text[at++];
      continue;
    }
    out += prefix;
    out += "***";
    at += length;
  }
  return out;
}

}  // namespace tollgate::routing
