// HTTP heads as plain values: what the codecs in wire/ produce and the sockets in net/ move.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate {

struct HeaderView {
  std::string_view name, value;
};
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// Headers in one piece of memory: a head costs two allocations, however many headers it has.
class HeaderFields {
 public:
  class Iterator;

  HeaderFields() = default;
  HeaderFields(std::initializer_list<HeaderView> headers);
  HeaderFields(const HeaderList& headers);  // NOLINT(google-explicit-constructor)

  void add(std::string_view name, std::string_view value);
  /// Lengthens the value of the header that was added last.
  void extend_last(std::string_view more);
  /// Sets memory aside for so many headers of so many bytes in all.
  void reserve(std::size_t headers, std::size_t bytes);

  [[nodiscard]] bool empty() const { return fields_.empty(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  /// Its views stay true until the next change.
  [[nodiscard]] HeaderView operator[](std::size_t i) const;
  /// Value of the first header of that name, or empty.
  [[nodiscard]] std::string_view find(std::string_view name) const;
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;
  [[nodiscard]] HeaderList list() const;

 private:
  struct Field {  // where its name begins, its value begins and ends
    std::uint32_t name, value, end;
  };
  std::string text_;
  std::vector<Field> fields_;
};

class HeaderFields::Iterator {
 public:
  Iterator(const HeaderFields& fields, std::size_t at) : fields_(&fields), at_(at) {}
  HeaderView operator*() const { return (*fields_)[at_]; }
  Iterator& operator++() {
    ++at_;
    return *this;
  }
  bool operator==(const Iterator& other) const { return at_ == other.at_; }

 private:
  const HeaderFields* fields_;
  std::size_t at_;
};

inline HeaderFields::Iterator HeaderFields::begin() const { return {*this, 0}; }
inline HeaderFields::Iterator HeaderFields::end() const { return {*this, fields_.size()}; }

/// The same but for the case of ASCII letters; both have `size` bytes.
[[nodiscard]] bool same_but_case(const char* a, const char* b, std::size_t size);
/// Case-insensitive ASCII compare, as HTTP header names and tokens need it.
[[nodiscard]] inline bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_but_case(a.data(), b.data(), a.size());
}
/// Without the spaces and tabs around it, which are no part of a header's value.
[[nodiscard]] std::string_view trim(std::string_view text);

/// How a message's body is delimited.
enum class Framing : std::uint8_t { none, sized, chunked, until_close };

/// A request head whose views point into the connection's buffer.
struct RequestHead {
  std::string_view method, target;  ///< target as sent
  std::string_view path, query;     ///< target cut at '?'
  int minor_version = 1;            ///< HTTP/1.minor
  std::vector<HeaderView> headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;  ///< for sized
  bool keep_alive = true;
  bool expect_continue = false;

  /// Value of the first header of that name, or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
};

/// A provider's reply head; owns its text, since it outlives the read buffer.
struct ResponseHead {
  int status = 0;
  int minor_version = 1;
  HeaderFields headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;

  [[nodiscard]] std::string_view header(std::string_view name) const { return headers.find(name); }
};

/// Lengthens `out` by so many bytes, which are yet to be written; returns where they begin.
inline char* lengthen(std::string& out, std::size_t bytes) {
  const std::size_t before = out.size(), size = before + bytes;
  // libstdc++ 12 hands the function the capacity in place of the size: it is not looked at.
  out.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
  return out.data() + before;
}
/// Writes a header's value and the line's end; what would break the line becomes a space.
void put_header_value(char* at, std::string_view value);
/// Appends `name: value` and the line's end; what would break the line becomes a space.
void append_header(std::string& out, std::string_view name, std::string_view value);
/// The same for a name that is a literal, which is copied in few steps.
template <std::size_t Size>
void append_header(std::string& out, const char (&name)[Size], std::string_view value) {
  constexpr std::size_t length = Size - 1;
  char* const at = lengthen(out, length + 2 + value.size() + 2);
  std::memcpy(at, name, length);
  std::memcpy(at + length, ": ", 2);
  put_header_value(at + length + 2, value);
}

/// What we answer. `fields` holds ready lines "name: value\r\n"; the session adds the status
/// line, framing, date and connection headers.
struct ReplyHead {
  int status = 200;
  std::string fields;
  /// Appends one header line; CR and LF in `value` become spaces.
  void add(std::string_view name, std::string_view value) { append_header(fields, name, value); }
  template <std::size_t Size>
  void add(const char (&name)[Size], std::string_view value) {
    append_header(fields, name, value);
  }
};

}  // namespace tollgate
