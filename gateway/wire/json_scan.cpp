#include "gateway/wire/json_scan.hpp"

#include <array>
#include <cstdint>

namespace tollgate::wire {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Four hex digits at the front; they are known to be there.
std::uint32_t code_unit(std::string_view text) {
  std::uint32_t unit = 0;
  for (std::size_t i = 0; i < 4; ++i)
    unit = unit << 4U | static_cast<std::uint32_t>(hex_digit(text[i]));
  return unit;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](std::uint32_t shift) {
    out += static_cast<char>(0x80U | (code >> shift & 0x3FU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | code >> 6U);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | code >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | code >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Appends the character behind `\u` and takes its digits off `rest`, a second escape included
/// where two surrogates make one character.
void append_unicode(std::string& out, std::string_view& rest) {
  constexpr std::uint32_t replacement = 0xFFFD;
  std::uint32_t code = code_unit(rest);
  rest.remove_prefix(4);
  if (code >= 0xD800 && code <= 0xDBFF && rest.size() >= 6 && rest.starts_with("\\u")) {
    const std::uint32_t second = code_unit(rest.substr(2));
    if (second >= 0xDC00 && second <= 0xDFFF) {
      code = 0x10000U + ((code - 0xD800U) << 10U) + (second - 0xDC00U);
      rest.remove_prefix(6);
    }
  }
  append_utf8(out, code >= 0xD800 && code <= 0xDFFF ? replacement : code);
}

constexpr char plain_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

bool JsonScanner::fail(std::string_view problem) {
  problem_ = problem;
  return false;
}

bool JsonScanner::literal(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) return fail("a value was expected");
  at_ += word.size();
  return true;
}

bool JsonScanner::value() {
  switch (peek()) {
    case '"':
      return string();
    case '{':
      return object();
    case '[':
      return array();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return number();
  }
}

bool JsonScanner::object() {
  return scan_object(*this, [this](std::string_view name) {
    saw(name);
    return value();
  });
}

bool JsonScanner::array() {
  return scan_array(*this, [this] { return value(); });
}

/// The characters of a string up to one that may not stand there unchanged.
void JsonScanner::plain_run() {
  if (!beyond_ascii_) {
    at_ += json_ascii_run(text_.substr(at_));
    beyond_ascii_ = at_ < text_.size() && static_cast<unsigned char>(text_[at_]) > 0x7F;
    if (!beyond_ascii_) return;
  }
  at_ += json_plain_run(text_.substr(at_));
}

bool JsonScanner::any_string() {
  if (!take('"')) return fail("a quoted string was expected");
  while (true) {
    plain_run();
    if (at_ == text_.size()) return fail("a string is not closed");
    const char c = text_[at_++];
    if (c == '"') return true;
    if (c != '\\') {
      --at_;
      return fail("a control character stands unescaped in a string");
    }
    escaped_ = true;
    if (!escape()) return false;
  }
}

bool JsonScanner::escape() {
  const char c = peek();
  if (c == 'u') {
    for (std::size_t i = 1; i <= 4; ++i) {
      if (at_ + i >= text_.size() || hex_digit(text_[at_ + i]) < 0) {
        return fail("four hex digits were expected behind \\u");
      }
    }
    at_ += 5;
    return true;
  }
  if (c == '\0' || std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
    return fail("a backslash is followed by no known escape");
  }
  ++at_;
  return true;
}

bool JsonScanner::digits() {
  if (!is_digit(peek())) return fail("a digit was expected");
  while (is_digit(peek()))
    ++at_;
  return true;
}

bool JsonScanner::number() {
  const bool negative = take('-');
  if (!is_digit(peek())) return fail(negative ? "a digit was expected" : "a value was expected");
  if (take('0')) {
    if (is_digit(peek())) return fail("a number begins with a zero");
  } else if (!digits()) {
    return false;
  }
  if (take('.') && !digits()) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    return digits();
  }
  return true;
}

std::string json_unescape(std::string_view inner) {
  std::string out;
  out.reserve(inner.size());
  while (true) {
    const std::size_t run = inner.find('\\');
    out.append(inner.substr(0, run));
    if (run == std::string_view::npos) return out;
    const char kind = inner[run + 1];
    inner.remove_prefix(run + 2);
    if (kind == 'u') {
      append_unicode(out, inner);
    } else {
      out += plain_escape(kind);
    }
  }
}

}  // namespace tollgate::wire
