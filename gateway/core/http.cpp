#include "gateway/core/http.hpp"

#include <algorithm>

namespace tollgate {
namespace {
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
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
  out.append(name).append(": ");
  const std::size_t begin = out.size();
  out.append(value);
  // A line end from a file, a variable or a client must not become a header of its own.
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  bool broken = false;  // looked for without a way out of the loop: many bytes at a time
  for (char c : value)
    broken |= breaks(c);
  if (broken) {
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), breaks, ' ');
  }
  out.append("\r\n");
}

}  // namespace tollgate
