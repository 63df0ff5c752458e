#include "config/text_check.hpp"

#include <algorithm>
#include <cstdint>

namespace tollgate::config {
namespace {

struct Lead {
  std::uint8_t mask, value;
  std::size_t length;
  std::uint32_t least;  // smaller code points are overlong
};
constexpr Lead leads[] = {
    {0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}};

// Length of the UTF-8 sequence at the start of `text`, or 0.
std::size_t sequence(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text.front());
  const auto* lead = std::find_if(std::begin(leads), std::end(leads),
                                  [first](const Lead& l) { return (first & l.mask) == l.value; });
  if (lead == std::end(leads) || text.size() < lead->length) return 0;
  std::uint32_t code = first & static_cast<std::uint8_t>(~lead->mask);
  for (std::size_t i = 1; i < lead->length; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (byte & 0x3FU);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < lead->least || code > 0x10FFFF || surrogate ? 0 : lead->length;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::optional<BadText> find_bad_text(std::string_view text) {
  int line = 1, column = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = sequence(text.substr(at));
    if (length == 0) return BadText{line, column, "not valid UTF-8"};
    if (is_control(c) && c != '\n' && c != '\r' && c != '\t') {
      return BadText{line, column, "a control character"};
    }
    at += length;
    column += static_cast<int>(length);
    if (c == '\n') {
      ++line;
      column = 1;
    }
  }
  return std::nullopt;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

std::string json_quoted(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (is_control(c)) {
      ((out += "\\u00") += hex[byte >> 4U]) += hex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace tollgate::config
