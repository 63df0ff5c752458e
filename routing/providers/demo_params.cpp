#include "routing/providers/demo_params.hpp"

#include <array>
#include <charconv>

#include "routing/providers/error_table.hpp"

namespace tollgate::routing::demo {
namespace {

constexpr std::size_t words_max = 50000;
constexpr double rate_max = 1e6;
constexpr std::chrono::milliseconds delay_max{3600 * 1000};

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool set_rate(Params& params, std::string_view text) {
  const auto value = number<double>(text);
  if (!value || !(*value > 0) || *value > rate_max) return false;
  params.rate = *value;
  return true;
}

bool set_delay(Params& params, std::string_view text) {
  const auto value = text.starts_with('-') ? std::nullopt : parse_delay(text);
  if (!value || *value > delay_max) return false;
  params.delay = *value;
  return true;
}

bool set_words(Params& params, std::string_view text) {
  const auto value = number<std::size_t>(text);
  if (!value || *value > words_max) return false;
  params.words = *value;
  params.words_given = true;
  return true;
}

bool set_status(Params& params, std::string_view text) {
  const auto value = number<int>(text);
  if (!value || (*value != 200 && (*value < 400 || *value > 599))) return false;
  params.status = *value;
  return true;
}

bool set_die_after(Params& params, std::string_view text) {
  params.die_after = number<std::size_t>(text);
  return params.die_after.has_value();
}

struct Knob {
  std::string_view name;
  bool (*set)(Params&, std::string_view);
};
constexpr std::array knobs{Knob{"rate", set_rate}, Knob{"delay", set_delay},
                           Knob{"words", set_words}, Knob{"status", set_status},
                           Knob{"die_after", set_die_after}};

bool read_part(Params& params, std::string_view part) {
  if (part == "demo") return true;
  const auto equals = part.find('=');
  if (equals == std::string_view::npos) return false;
  for (const Knob& knob : knobs) {
    if (knob.name == part.substr(0, equals)) return knob.set(params, part.substr(equals + 1));
  }
  return false;
}

}  // namespace

std::optional<Params> read_params(std::string_view model) {
  Params params;
  for (std::size_t at = 0; at <= model.size();) {
    const auto comma = std::min(model.find(',', at), model.size());
    if (!read_part(params, model.substr(at, comma - at))) return std::nullopt;
    at = comma + 1;
  }
  return params;
}

}  // namespace tollgate::routing::demo
