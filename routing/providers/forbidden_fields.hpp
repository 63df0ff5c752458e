// Request fields that would choose another model, route or price than the one the gateway admitted,
// and fields that would choose another host. One table for every provider, asked by their encodes.
#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "gateway/core/error.hpp"
#include "gateway/wire/json_shape.hpp"
#include "routing/target.hpp"

namespace tollgate::routing {

/// Refused with 400 unless the provider's entry names them in `allow_fields`.
inline constexpr std::array<std::string_view, 7> refused_fields{
    "models", "provider", "route", "plugins", "fallbacks", "transforms", "background"};
/// Mean nothing to us: never sent upstream, never an error.
inline constexpr std::array<std::string_view, 3> ignored_fields{"api_base", "base_url", "api_key"};

[[nodiscard]] inline bool is_ignored_field(std::string_view name) {
  return std::ranges::find(ignored_fields, name) != ignored_fields.end();
}

[[nodiscard]] inline bool is_refused_field(const ProviderEntry& entry, std::string_view name) {
  if (std::ranges::find(refused_fields, name) == refused_fields.end()) return false;
  return std::ranges::find(entry.allow_fields, name) == entry.allow_fields.end();
}

/// 400 unsupported_parameter at the first refused field that the client sent (null counts as
/// absent).
[[nodiscard]] inline Result<void> check_forbidden_fields(const wire::JsonShape& shape,
                                                         const ProviderEntry& entry) {
  for (const wire::JsonField& field : shape.fields()) {
    if (field.is_null() || !is_refused_field(entry, field.name)) continue;
    std::string name(field.name);
    return fail(ErrorKind::unsupported_parameter,
                "'" + name + "' chooses a model, route or plugin and is not allowed here", name);
  }
  return {};
}

}  // namespace tollgate::routing
