#include "gateway/wire/json_walk.hpp"

namespace tollgate::wire {
namespace {

constexpr int depth_max = 128;  // more than JsonShape lets through

/// The next value's text; empty: there is none.
std::string_view take_value(JsonScanner& scan) {
  scan.space();
  const std::size_t begin = scan.at();
  return scan.value() ? scan.since(begin) : std::string_view{};
}

}  // namespace

JsonKind json_kind(std::string_view value) {
  switch (value.empty() ? 'n' : value.front()) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

JsonMembers::JsonMembers(std::string_view object) : scan_(object, depth_max) { scan_.space(); }

bool JsonMembers::next() {
  if (!scan_.take(before_)) return false;
  before_ = ',';
  scan_.space();
  const std::size_t begin = scan_.at();
  if (!scan_.string()) return false;
  const std::string_view quoted = scan_.since(begin);
  name_ = quoted.substr(1, quoted.size() - 2);
  if (name_.find('\\') != std::string_view::npos) name_ = unescaped_ = json_unescape(name_);
  scan_.space();
  if (!scan_.take(':')) return false;
  value_ = take_value(scan_);
  scan_.space();
  return !value_.empty();
}

JsonElements::JsonElements(std::string_view array) : scan_(array, depth_max) { scan_.space(); }

bool JsonElements::next() {
  if (!scan_.take(before_)) return false;
  before_ = ',';
  value_ = take_value(scan_);
  scan_.space();
  return !value_.empty();
}

std::optional<std::string_view> json_member(std::string_view object, std::string_view name) {
  std::optional<std::string_view> found;
  for (JsonMembers members(object); members.next();) {
    if (members.name() == name) found = members.value();
  }
  return found && *found != "null" ? found : std::nullopt;
}

}  // namespace tollgate::wire
