#include "gateway/core/http.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate {
namespace {
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool breaks(char c) { return c == '\r' || c == '\n' || c == '\0'; }

/// True where one of these eight bytes may break a line: each is compared with the highest that
/// does.
bool may_break(const char* at) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255, tops = ones << 7U;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return ((word - ones * ('\r' + 1)) & ~word & tops) != 0;
}

/// The same for all of [begin, end); eight bytes before `end` may be read.
bool may_break(const char* begin, const char* end) {
  constexpr std::ptrdiff_t step = 8;
  bool found = may_break(end - step);
  for (; end - begin > step; begin += step)
    found |= may_break(begin);
  return found;
}

/// Eight bytes with the upper-case letters of ASCII among them made lower-case.
constexpr std::uint64_t lower_word(std::uint64_t word) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255, tops = ones << 7U;
  const std::uint64_t low = word & ~tops;
  const std::uint64_t from_a = low + ones * (0x80 - 'A'), above_z = low + ones * (0x7F - 'Z');
  return word | ((from_a ^ above_z) & ~word & tops) >> 2U;
}
template <class Word>
Word word_at(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}
/// Not zero where eight bytes differ by more than the case of letters.
std::uint64_t differ(const char* a, const char* b) {
  return lower_word(word_at<std::uint64_t>(a)) ^ lower_word(word_at<std::uint64_t>(b));
}
/// The first and the last four bytes of a text that has four to eight.
std::uint64_t both_ends(std::string_view text) {
  const std::uint64_t first = word_at<std::uint32_t>(text.data());
  return first << 32U | word_at<std::uint32_t>(text.data() + text.size() - 4);
}

char* put(char* at, std::string_view text) { return at + text.copy(at, text.size()); }
}  // namespace

bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  constexpr std::size_t step = 8;
  const std::size_t size = a.size();
  if (size >= step) {
    std::uint64_t apart = differ(a.data() + size - step, b.data() + size - step);
    for (std::size_t at = 0; at + step < size; at += step)
      apart |= differ(a.data() + at, b.data() + at);
    return apart == 0;
  }
  if (size >= step / 2) return lower_word(both_ends(a)) == lower_word(both_ends(b));
  for (std::size_t i = 0; i < size; ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  return text;
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
  const std::size_t begin = out.size() + name.size() + 2, end = begin + value.size();
  // libstdc++ 12 hands the function the capacity in place of the size: it is not looked at.
  out.resize_and_overwrite(end + 2, [&](char* all, std::size_t) {
    put(put(put(all + begin - 2 - name.size(), name), ": "), value);
    put(all + end, "\r\n");
    return end + 2;
  });
  // A line end from a file, a variable or a client must not become a header of its own.
  char* const text = out.data();
  if (end < 8 || may_break(text + begin, text + end)) {
    std::replace_if(text + begin, text + end, breaks, ' ');
  }
}

}  // namespace tollgate
