// Archives: values as bytes and back, for the journal and for kept replies. Writing and reading
// walk the same list of members (record.cpp, cache/reply.cpp), so they cannot drift apart. Numbers
// are varints, times eight bytes, text has its length before it. Pure.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gateway/core/clock.hpp"
#include "policies/ledger/open_end.hpp"

namespace tollgate::ledger {

/// Appends to a string, which is whole once the archive is gone.
class WriteArchive final : OpenEnd {
 public:
  explicit WriteArchive(std::string& out) : OpenEnd(out) {}

  void operator()(std::string_view text) {
    room_for(text.size());
    put_number(text.size());
    put_bytes(text.data(), text.size());
  }
  void operator()(const std::string& text) { (*this)(std::string_view(text)); }
  template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void operator()(T value) {
    const auto wide = static_cast<std::int64_t>(value);
    number(static_cast<std::uint64_t>(wide) << 1U ^ static_cast<std::uint64_t>(wide >> 63));
  }
  void operator()(SystemTime time) {
    const std::int64_t micros = micros_of(time);
    bytes(&micros, sizeof micros);
  }
  void operator()(std::chrono::microseconds span) { (*this)(span.count()); }
  template <class T>
  void operator()(const std::optional<T>& value) {
    (*this)(value.has_value());
    if (value) (*this)(*value);
  }
  template <class T, class Each>
  void list(const std::vector<T>& items, Each each) {
    number(items.size());
    for (const T& item : items)
      each(item);
  }
  /// One byte where all members are zero, as in every intent.
  template <class T, class Each>
  void unless_empty(const T& value, Each each) {
    const bool there = value != T{};
    (*this)(there);
    if (there) each(value);
  }

 private:
  void number(std::uint64_t value) {
    room_for(0);
    put_number(value);
  }
  void put_number(std::uint64_t value) {
    while (value >= 128) {
      *at_++ = static_cast<char>(value | 128);
      value >>= 7U;
    }
    *at_++ = static_cast<char>(value);
  }
  void bytes(const void* from, std::size_t size) {
    room_for(size);
    put_bytes(from, size);
  }
  void put_bytes(const void* from, std::size_t size) {
    if (size > 0) std::memcpy(at_, from, size);  // an empty view may have no place
    at_ += size;
  }
};

class ReadArchive {
 public:
  explicit ReadArchive(std::string_view bytes) : bytes_(bytes) {}

  void operator()(std::string& text) {
    std::string_view view;
    (*this)(view);
    text = view;
  }
  /// A view into the bytes.
  void operator()(std::string_view& text) {
    const std::uint64_t size = number();
    if (size > bytes_.size()) return fail();
    text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
  }
  template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>)
  void operator()(T& value) {
    const std::uint64_t zigzag = number();
    value = static_cast<T>(static_cast<std::int64_t>(zigzag >> 1U) ^
                           -static_cast<std::int64_t>(zigzag & 1U));
  }
  void operator()(SystemTime& time) {
    std::int64_t micros = 0;
    if (bytes_.size() < sizeof micros) return fail();
    std::memcpy(&micros, bytes_.data(), sizeof micros);
    bytes_.remove_prefix(sizeof micros);
    time = time_of(micros);
  }
  void operator()(std::chrono::microseconds& span) {
    std::int64_t count = 0;
    (*this)(count);
    span = std::chrono::microseconds(count);
  }
  template <class T>
  void operator()(std::optional<T>& value) {
    bool there = false;
    (*this)(there);
    if (there) (*this)(value.emplace());
  }
  template <class T, class Each>
  void list(std::vector<T>& items, Each each) {
    const std::uint64_t size = number();
    if (size > bytes_.size()) return fail();  // an item has a byte at least
    items.resize(size);
    for (T& item : items)
      each(item);
  }
  template <class T, class Each>
  void unless_empty(T& value, Each each) {
    bool there = false;
    (*this)(there);
    if (there) each(value);
  }
  /// False: the bytes did not hold what was read.
  [[nodiscard]] bool good() const { return good_; }
  /// What was not read yet.
  [[nodiscard]] std::string_view rest() const { return bytes_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 127U) << shift;
      if (byte < 128) return value;
    }
    fail();
    return 0;
  }
  void fail() {
    good_ = false;
    bytes_ = {};
  }
  std::string_view bytes_;
  bool good_ = true;
};

/// The token counts of a Usage, in the one order in which they are kept.
template <class Archive, class U>
void visit_tokens(Archive& archive, U& usage) {
  archive(usage.input);
  archive(usage.cache_read);
  archive(usage.cache_write);
  archive(usage.cache_write_1h);
  archive(usage.output);
  archive(usage.reasoning);
  archive(usage.audio_input);
  archive(usage.audio_output);
}

}  // namespace tollgate::ledger
