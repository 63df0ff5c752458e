// JsonWriter: appends JSON to a string; the only place that escapes. No DOM, no allocation of its
// own. Lone surrogates and broken UTF-8 never come out: they become U+FFFD.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace tollgate::wire {

/// Appends `text` escaped, without quotes.
void append_escaped(std::string& out, std::string_view text);
/// Appends a JSON string with its quotes.
void append_quoted(std::string& out, std::string_view text);

/// A member's name. A literal is judged when it is compiled, so that writing it is one copy; any
/// other text is escaped where it needs it.
class JsonKey {
 public:
  template <std::size_t Size>
  consteval JsonKey(const char (&literal)[Size])
      : text_(literal, Size - 1), plain_(std::ranges::all_of(text_, is_plain)) {}
  template <class Text>
    requires(std::convertible_to<const Text&, std::string_view> && !std::is_array_v<Text>)
  constexpr JsonKey(const Text& text) : text_(text) {}

  [[nodiscard]] constexpr std::string_view text() const { return text_; }
  /// Known to be the same inside quotes.
  [[nodiscard]] constexpr bool plain() const { return plain_; }

 private:
  static constexpr bool is_plain(char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; }

  std::string_view text_;
  bool plain_ = false;
};

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(JsonKey name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(std::uint32_t number) { return value(static_cast<std::uint64_t>(number)); }
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(double number);
  JsonWriter& null();
  /// Text that is JSON already.
  JsonWriter& raw(std::string_view json);
  /// Text that begins an object or array, up to where its next value goes:
  /// `{"type":"text","text":`.
  JsonWriter& head(std::string_view json);

  template <class T>
  JsonWriter& member(JsonKey name, const T& v) {
    key(name);
    return value(v);
  }
  JsonWriter& raw_member(JsonKey name, std::string_view json) {
    key(name);
    return raw(json);
  }

 private:
  JsonWriter& open(char c);
  JsonWriter& close(char c);
  void comma();

  std::string& out_;
  bool need_comma_ = false;
};

}  // namespace tollgate::wire
