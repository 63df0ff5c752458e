#include "gateway/core/http.hpp"

#include <algorithm>
#include <cstring>

namespace tollgate {
namespace {
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool breaks(char c) { return c == '\r' || c == '\n' || c == '\0'; }

/// Not zero where one of these bytes may break a line: each is compared with the highest that
/// does.
template <class Word>
Word may_break(Word word) {
  constexpr Word ones = static_cast<Word>(~Word{0} / 255), tops = ones << 7U;
  return (word - ones * ('\r' + 1)) & ~word & tops;
}

template <class Word>
Word copy_word(const char* from, char* to) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  std::memcpy(to, &word, sizeof word);
  return may_break(word);
}

/// Copies a text that has a word's size at least. True: a byte of it may break a line.
template <class Word>
bool copy_words(std::string_view text, char* to) {
  constexpr std::size_t step = sizeof(Word);
  const char* const from = text.data();
  const std::size_t last = text.size() - step;
  Word found = copy_word<Word>(from + last, to + last);
  for (std::size_t at = 0; at < last; at += step)
    found |= copy_word<Word>(from + at, to + at);
  return found != 0;
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
std::uint64_t both_ends(const char* text, std::size_t size) {
  const std::uint64_t first = word_at<std::uint32_t>(text);
  return first << 32U | word_at<std::uint32_t>(text + size - 4);
}
}  // namespace

bool same_but_case(const char* a, const char* b, std::size_t size) {
  constexpr std::size_t step = 8;
  if (size >= step) {
    std::uint64_t apart = differ(a + size - step, b + size - step);
    for (std::size_t at = 0; at + step < size; at += step)
      apart |= differ(a + at, b + at);
    return apart == 0;
  }
  if (size >= step / 2) return lower_word(both_ends(a, size)) == lower_word(both_ends(b, size));
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
  char* const at = lengthen(text_, name.size() + value.size());
  value.copy(at + name.copy(at, name.size()), value.size());
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

void put_header_value(char* at, std::string_view value) {
  char* const end = at + value.size();
  bool odd = false;
  if (value.size() >= sizeof(std::uint64_t)) {
    odd = copy_words<std::uint64_t>(value, at);
  } else if (value.size() >= sizeof(std::uint32_t)) {
    odd = copy_words<std::uint32_t>(value, at);
  } else {
    odd = std::any_of(value.begin(), value.end(), breaks);
    std::copy(value.begin(), value.end(), at);
  }
  // A line end from a file, a variable or a client must not become a header of its own.
  if (odd) std::replace_if(at, end, breaks, ' ');
  std::memcpy(end, "\r\n", 2);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  char* at = lengthen(out, name.size() + 2 + value.size() + 2);
  at += name.copy(at, name.size());
  std::memcpy(at, ": ", 2);
  put_header_value(at + 2, value);
}

}  // namespace tollgate
