#include "routing/providers/openai_json.hpp"

#include "gateway/wire/json_scan.hpp"
#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_walk.hpp"

namespace tollgate::routing::openai {
namespace {

/// Bytes at the end of `inner` that are an escaped high surrogate ("\ud83d"), or 0.
std::size_t open_surrogate(std::string_view inner) {
  constexpr std::size_t length = 6;
  if (inner.size() < length) return 0;
  const std::string_view tail = inner.substr(inner.size() - length);
  const auto is = [&](std::size_t at, std::string_view set) {
    return set.find(tail[at]) != std::string_view::npos;
  };
  if (tail[0] != '\\' || tail[1] != 'u' || !is(2, "dD") || !is(3, "89abAB")) return 0;
  std::size_t slashes = 0;  // an even run before it means that its backslash is not escaped itself
  for (std::size_t at = inner.size() - length; at > 0 && inner[at - 1] == '\\'; --at)
    ++slashes;
  return slashes % 2 == 0 ? length : 0;
}

/// Plain digits, as nearly every count is written.
std::optional<std::uint64_t> plain_count(std::string_view text) {
  constexpr std::size_t digits_max = 15;
  if (text.size() > digits_max) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

}  // namespace

void pick(std::string_view object, std::initializer_list<Want> wants) {
  for (wire::JsonMembers members(object); members.next();) {
    for (const Want& want : wants) {
      if (want.name != members.name()) continue;
      if (members.value() != "null") want.value = members.value();
      break;
    }
  }
}

bool says_nothing(std::string_view value) {
  if (value.empty() || value == "null" || value == "\"\"") return true;
  if (value.starts_with('[')) return !wire::JsonElements(value).next();
  if (!value.starts_with('{')) return false;
  for (wire::JsonMembers members(value); members.next();) {
    if (!says_nothing(members.value())) return false;
  }
  return true;
}

std::optional<std::uint64_t> count(std::string_view value) {
  if (value.empty() || is_string(value)) return std::nullopt;
  if (const auto plain = plain_count(value)) return plain;
  const auto number = wire::json_double(value);
  constexpr double most = 1e15;
  if (!number || !(*number >= 0) || *number > most) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::string text(std::string_view value) {
  if (value == "null") return {};
  if (!is_string(value)) return std::string(value);
  return wire::json_string(value).value_or(std::string());
}

std::string_view text_in(std::string_view value, Batch& batch) {
  const bool plain = is_string(value) && value.find('\\') == std::string_view::npos;
  return plain ? value.substr(1, value.size() - 2) : batch.store(text(value));
}

std::string_view FragmentText::take(std::string_view quoted, Batch& out) {
  std::string_view inner = quoted.substr(1, quoted.size() - 2);
  if (held_.empty() && inner.find('\\') == std::string_view::npos) return inner;
  held_ += inner;
  const std::size_t open = open_surrogate(held_);
  const std::string half = held_.substr(held_.size() - open);
  held_.resize(held_.size() - open);
  const std::string_view whole = out.store(wire::json_unescape(held_));
  held_ = half;
  return whole;
}

}  // namespace tollgate::routing::openai
