#include "gateway/wire/json_walk.hpp"

#include "gateway/wire/json_scan.hpp"
#include "gateway/wire/scan.hpp"

namespace tollgate::wire {
namespace {

/// Offset of the next quote, brace or bracket; the bit that tells these two apart is ignored.
std::size_t container_mark(std::string_view text) {
  return find_byte(text,
                   [](auto c) { return (c == '"') | ((c | 0x20) == '{') | ((c | 0x20) == '}'); });
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

void JsonCursor::space() {
  while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ')
    ++at_;
}

bool JsonCursor::take(char c) {
  if (at_ == text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

std::string_view JsonCursor::take_until(std::size_t end) {
  const std::string_view taken = text_.substr(at_, end - at_);
  at_ = end;
  return taken;
}

std::string_view JsonCursor::string() {
  const bool quoted = at_ < text_.size() && text_[at_] == '"';
  return take_until(quoted ? string_end(at_) : at_);
}

std::string_view JsonCursor::value() {
  space();
  if (at_ == text_.size()) return {};
  switch (text_[at_]) {
    case '"':
      return take_until(string_end(at_));
    case '{':
    case '[':
      return take_until(container_end(at_));
    default:
      return take_until(scalar_end(at_));
  }
}

/// Behind the closing quote; `begin` where there is none.
std::size_t JsonCursor::string_end(std::size_t begin) {
  escaped_ = false;
  for (std::size_t at = begin + 1; at < text_.size();) {
    at += json_string_run(text_.substr(at));
    if (at >= text_.size()) break;
    if (text_[at] == '"') return at + 1;
    escaped_ = true;
    at += 2;
  }
  return begin;
}

std::size_t JsonCursor::container_end(std::size_t begin) {
  std::size_t open = 0;
  for (std::size_t at = begin; at < text_.size();) {
    at += container_mark(text_.substr(at));
    if (at == text_.size()) break;
    if (text_[at] == '"') {
      const std::size_t end = string_end(at);
      if (end == at) break;
      at = end;
      continue;
    }
    const bool opens = text_[at] == '{' || text_[at] == '[';
    ++at;
    open = opens ? open + 1 : open - 1;
    if (open == 0) return at;
  }
  return begin;
}

std::size_t JsonCursor::scalar_end(std::size_t begin) const {
  std::size_t at = begin;
  const auto ends = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == ',' || c == '}' || c == ']' || c == ':' ||
           c == '"';
  };
  while (at < text_.size() && !ends(text_[at]))
    ++at;
  return at;
}

JsonMembers::JsonMembers(std::string_view object) : cursor_(object) {}

bool JsonMembers::next() {
  if (!cursor_.take(before_)) return false;
  before_ = ',';
  cursor_.space();
  const std::string_view quoted = cursor_.string();
  if (quoted.empty()) return false;
  name_ = quoted.substr(1, quoted.size() - 2);
  if (cursor_.escaped()) name_ = unescaped_ = json_unescape(name_);
  cursor_.space();
  if (!cursor_.take(':')) return false;
  value_ = cursor_.value();
  cursor_.space();
  return !value_.empty();
}

JsonElements::JsonElements(std::string_view array) : cursor_(array) {}

bool JsonElements::next() {
  if (!cursor_.take(before_)) return false;
  before_ = ',';
  value_ = cursor_.value();
  cursor_.space();
  return !value_.empty();
}

std::string_view JsonElements::open() {
  if (!cursor_.take(before_)) return {};
  before_ = ',';
  cursor_.space();
  const std::string_view text = cursor_.rest();
  return text.starts_with(']') ? std::string_view() : text;
}

void JsonElements::close(std::string_view rest) {
  cursor_.go_to(rest);
  cursor_.space();
}

std::optional<std::string_view> json_member(std::string_view object, std::string_view name) {
  std::optional<std::string_view> found;
  for (JsonMembers members(object); members.next();) {
    if (members.name() == name) found = members.value();
  }
  return found && *found != "null" ? found : std::nullopt;
}

}  // namespace tollgate::wire
