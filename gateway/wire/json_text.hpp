// JsonText: JSON out of ready pieces, for what is written once a call and always has the same
// names: punctuation and names come as one literal, so nothing is decided for them. Its memory is
// kept from text to text. Everything else uses JsonWriter, which sees to commas and names itself.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>

#include "gateway/wire/plain_text.hpp"

namespace tollgate::wire {

class JsonText {
 public:
  void clear() { size_ = 0; }
  /// Valid until the next change.
  [[nodiscard]] std::string_view view() const { return {memory_.get(), size_}; }

  /// Text that is part of JSON already, names and commas above all.
  template <std::size_t Size>
  JsonText& piece(const char (&literal)[Size]) {
    std::memcpy(room(Size - 1), literal, Size - 1);
    size_ += Size - 1;
    return *this;
  }
  /// A JSON string with its quotes, escaped as JsonWriter does.
  JsonText& string(std::string_view text) {
    char* const at = room(text.size() + 2);
    if (!copy_ascii(text, at + 1)) return escaped(text);
    *at = at[text.size() + 1] = '"';
    size_ += text.size() + 2;
    return *this;
  }
  /// The same; null where there is no text.
  JsonText& string_or_null(std::string_view text) {
    return text.empty() ? piece("null") : string(text);
  }
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  JsonText& number(Number number) {
    using Wide = std::conditional_t<std::is_signed_v<Number>, std::int64_t, std::uint64_t>;
    return advance(put_number(room(number_digits_max), Wide{number}));
  }
  JsonText& boolean(bool truth) { return truth ? piece("true") : piece("false"); }

  /// Space for that many bytes; `advance` says where those end that were put there.
  char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return memory_.get() + size_;
  }
  JsonText& advance(const char* end) {
    size_ = static_cast<std::size_t>(end - memory_.get());
    return *this;
  }

 private:
  JsonText& escaped(std::string_view text);
  void grow(std::size_t bytes);

  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace tollgate::wire
