#include "gateway/core/http.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate {
namespace {
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool breaks(char c) { return c == '\r' || c == '\n' || c == '\0'; }

/// False: none of these bytes breaks a line. Eight at a time, each compared with the highest that
/// does.
bool may_break(std::string_view text) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255, tops = ones << 7U;
  std::uint64_t found = 0, word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    found |= (word - ones * ('\r' + 1)) & ~word & tops;
  }
  return found != 0 || std::ranges::any_of(text, breaks);
}
}  // namespace

bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view RequestHead::header(std::string_view name) const {
  for (const HeaderView& h : headers) {
    if (iequals(h.name, name)) return h.value;
  }
  return {};
}

bool RequestHead::has(std::string_view name) const {
  for (const HeaderView& h : headers) {
    if (iequals(h.name, name)) return true;
  }
  return false;
}

HeaderFields::HeaderFields(std::initializer_list<HeaderView> headers) {
  for (const HeaderView& header : headers)
    add(header.name, header.value);
}

HeaderFields::HeaderFields(const HeaderList& headers) {
  for (const auto& [name, value] : headers)
    add(name, value);
}

void HeaderFields::reserve(std::size_t headers, std::size_t bytes) {
  fields_.reserve(headers);
  text_.reserve(bytes);
}

void HeaderFields::add(std::string_view name, std::string_view value) {
  const auto begin = static_cast<std::uint32_t>(text_.size());
  const auto middle = static_cast<std::uint32_t>(begin + name.size());
  text_.append(name).append(value);
  fields_.push_back({begin, middle, static_cast<std::uint32_t>(text_.size())});
}

void HeaderFields::extend_last(std::string_view more) {
  text_ += more;
  fields_.back().end = static_cast<std::uint32_t>(text_.size());
}

HeaderView HeaderFields::operator[](std::size_t i) const {
  const std::string_view all = text_;
  const Field& field = fields_[i];
  return {all.substr(field.name, field.value - field.name),
          all.substr(field.value, field.end - field.value)};
}

std::string_view HeaderFields::find(std::string_view name) const {
  for (const HeaderView header : *this) {
    if (iequals(header.name, name)) return header.value;
  }
  return {};
}

HeaderList HeaderFields::list() const {
  HeaderList all;
  for (const auto [name, value] : *this)
    all.emplace_back(name, value);
  return all;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t begin = out.size() + name.size() + 2;
  out.append(name).append(": ").append(value).append("\r\n");
  // A line end from a file, a variable or a client must not become a header of its own.
  if (may_break(value)) {
    const auto from = out.begin() + static_cast<std::ptrdiff_t>(begin);
    std::replace_if(from, out.end() - 2, breaks, ' ');
  }
}

}  // namespace tollgate
