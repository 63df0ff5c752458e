#include "policies/cache/eligible.hpp"

#include <algorithm>
#include <charconv>

#include "gateway/core/http.hpp"
#include "gateway/wire/json_walk.hpp"

namespace tollgate::cache {
namespace {

std::optional<std::chrono::seconds> seconds_of(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  constexpr std::uint32_t longest = 1U << 31U;  // RFC 9111, 1.2.2
  std::uint32_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed == std::errc::result_out_of_range) return std::chrono::seconds(longest);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(std::min(count, longest));
}

void take(std::string_view directive, Wish& wish) {
  const std::size_t equals = directive.find('=');
  const std::string_view name = trim(directive.substr(0, equals));
  if (iequals(name, "no-cache")) wish.no_cache = true;
  if (iequals(name, "no-store")) wish.no_store = true;
  if (iequals(name, "only-if-cached")) wish.only_if_cached = true;
  if (iequals(name, "max-age") && equals != std::string_view::npos) {
    const auto age = seconds_of(trim(directive.substr(equals + 1)));
    if (age) wish.max_age = std::min(*age, wish.max_age.value_or(*age));
  }
}

/// The value that goes upstream under that name: the client's, else the model's default.
std::string_view effective(const wire::RequestView& view, std::string_view name) {
  if (const wire::JsonField* field = view.shape.find(name)) return field->value;
  for (const RawField* field : view.missing_defaults()) {
    if (field->first == name) return field->second;
  }
  return {};
}

bool is_deterministic(const wire::RequestView& view) {
  const std::string_view seed = effective(view, "seed");
  if (!seed.empty() && seed != "null") return true;
  const auto temperature = wire::json_double(effective(view, "temperature"));
  return temperature && *temperature == 0;
}

/// Tools that the provider runs itself look at a world that changes, or change it.
bool has_hosted_tools(const wire::RequestView& view) {
  if (!effective(view, "web_search_options").empty()) return true;
  for (wire::JsonElements tools(effective(view, "tools")); tools.next();) {
    const auto type = wire::json_member(tools.value(), "type");
    const bool ours = type && (*type == "\"function\"" || *type == "\"custom\"");
    if (!ours) return true;
  }
  return false;
}

}  // namespace

Wish parse_wish(std::string_view cache_control) {
  Wish wish;
  add_wish(cache_control, wish);
  return wish;
}

void add_wish(std::string_view cache_control, Wish& wish) {
  while (!cache_control.empty()) {
    const std::size_t comma = cache_control.find(',');
    take(trim(cache_control.substr(0, comma)), wish);
    if (comma == std::string_view::npos) break;
    cache_control.remove_prefix(comma + 1);
  }
}

bool is_eligible(const wire::RequestView& view, config::CacheWhen when, const Wish& wish) {
  if (wish.no_store || view.n != 1) return false;
  const bool same_again = view.endpoint == Endpoint::embeddings || is_deterministic(view);
  if (when == config::CacheWhen::deterministic && !same_again) return false;
  if (when == config::CacheWhen::on_request && !wish.max_age) return false;
  return effective(view, "store") != "true" && !has_hosted_tools(view);
}

}  // namespace tollgate::cache
