#include "gateway/wire/json_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <simdjson.h>

#include "gateway/wire/scan.hpp"

namespace tollgate::wire {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

void append_one_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  out += "\\u00";
  out += hex[static_cast<std::uint8_t>(c) >> 4U];
  out += hex[static_cast<std::uint8_t>(c) & 15U];
}

/// Escapes text that is known to be UTF-8.
void append_valid(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t run = json_plain_run(text);
    out.append(text.substr(0, run));
    if (run == text.size()) return;
    append_one_escape(out, text[run]);
    text.remove_prefix(run + 1);
  }
}

/// How a sequence begins: its length and what its second byte may be (Unicode, table 3-7).
struct Lead {
  std::size_t length = 0;
  std::uint8_t low = 0x80, high = 0xBF;
};

constexpr Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {.length = 1};
  if (byte < 0xC2) return {};
  if (byte < 0xE0) return {.length = 2};
  if (byte == 0xE0) return {.length = 3, .low = 0xA0};
  if (byte == 0xED) return {.length = 3, .high = 0x9F};  // no surrogates
  if (byte < 0xF0) return {.length = 3};
  if (byte == 0xF0) return {.length = 4, .low = 0x90};
  if (byte < 0xF4) return {.length = 4};
  if (byte == 0xF4) return {.length = 4, .high = 0x8F};
  return {};
}

/// Bytes at the front that belong together, and whether they are one whole character.
struct Piece {
  std::size_t length;
  bool whole;
};

Piece first_piece(std::string_view text) {
  const Lead lead = lead_of(static_cast<std::uint8_t>(text[0]));
  if (lead.length == 0) return {1, false};
  std::uint8_t low = lead.low;
  std::uint8_t high = lead.high;
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (i == text.size()) return {i, false};
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (byte < low || byte > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {lead.length, true};
}

/// Escapes text with broken sequences in it: each becomes one U+FFFD.
void append_repaired(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    if (piece.whole) {
      append_valid(out, text.substr(0, piece.length));
    } else {
      out += replacement;
    }
    text.remove_prefix(piece.length);
  }
}

/// Escapes text that begins with a byte beyond ASCII.
void append_unicode(std::string& out, std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) {
    append_valid(out, text);
  } else {
    append_repaired(out, text);
  }
}

/// Appends up to `bytes_max`: `write` puts them where it is told and answers with their end.
template <class Write>
void append_with(std::string& out, std::size_t bytes_max, Write write) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + bytes_max, [&](char* data, std::size_t) {
    return static_cast<std::size_t>(write(data + before) - data);
  });
}

char* put_quoted(char* at, std::string_view plain) {
  *at++ = '"';
  at = std::copy(plain.begin(), plain.end(), at);
  *at++ = '"';
  return at;
}

template <class Number>
void append_number(std::string& out, Number number) {
  constexpr std::size_t digits_max = 32;
  append_with(out, digits_max,
              [&](char* at) { return std::to_chars(at, at + digits_max, number).ptr; });
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t run = json_ascii_run(text);
    out.append(text.substr(0, run));
    if (run == text.size()) return;
    text.remove_prefix(run);
    if (static_cast<std::uint8_t>(text[0]) > 0x7F) return append_unicode(out, text);
    append_one_escape(out, text[0]);
    text.remove_prefix(1);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  if (json_ascii_run(text) == text.size()) {
    append_with(out, text.size() + 2, [&](char* at) { return put_quoted(at, text); });
    return;
  }
  out += '"';
  append_escaped(out, text);
  out += '"';
}

void JsonWriter::comma() {
  if (need_comma_) out_ += ',';
  need_comma_ = true;
}

JsonWriter& JsonWriter::open(char c) {
  comma();
  out_ += c;
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char c) {
  out_ += c;
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(JsonKey name) {
  if (name.plain()) {
    append_with(out_, name.text().size() + 4, [&](char* at) {
      if (need_comma_) *at++ = ',';
      at = put_quoted(at, name.text());
      *at++ = ':';
      return at;
    });
  } else {
    comma();
    append_quoted(out_, name.text());
    out_ += ':';
  }
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  comma();
  append_quoted(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) { return raw(truth ? "true" : "false"); }

JsonWriter& JsonWriter::value(std::int64_t number) {
  comma();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  comma();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  comma();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  comma();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::head(std::string_view json) {
  raw(json);
  need_comma_ = false;
  return *this;
}

}  // namespace tollgate::wire
