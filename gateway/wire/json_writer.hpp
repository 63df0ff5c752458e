// JsonWriter: appends JSON to a string; the only place that escapes. No DOM, no allocation of its
// own. Lone surrogates and broken UTF-8 never come out: they become U+FFFD.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::wire {

/// Appends `text` escaped, without quotes.
void append_escaped(std::string& out, std::string_view text);
/// Appends a JSON string with its quotes.
void append_quoted(std::string& out, std::string_view text);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
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

  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }
  JsonWriter& raw_member(std::string_view name, std::string_view json) {
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
