#include "gateway/wire/base64.hpp"

#include <array>
#include <cstdint>

namespace tollgate::wire {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t invalid = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(invalid);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  values['-'] = 62;
  values['_'] = 63;
  return values;
}
constexpr std::array<std::uint8_t, 256> values = make_values();

/// `count` bytes (1..3) as four characters, padded.
void encode_group(const char* bytes, std::size_t count, char* out) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 3; ++i)
    bits = bits << 8U | (i < count ? static_cast<std::uint8_t>(bytes[i]) : 0U);
  for (std::size_t i = 0; i < 4; ++i)
    out[i] = i <= count ? alphabet[bits >> (18U - 6U * i) & 63U] : '=';
}

/// `count` characters (2..4) as `count - 1` bytes; false: one is not of the alphabet.
bool decode_group(const char* text, std::size_t count, char* out) {
  std::uint32_t bits = 0;
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t value = i < count ? values[static_cast<std::uint8_t>(text[i])] : 0;
    seen |= value;
    bits = bits << 6U | value;
  }
  if ((seen & 0xC0U) != 0) return false;
  for (std::size_t i = 0; i + 1 < count; ++i)
    out[i] = static_cast<char>(bits >> (16U - 8U * i) & 0xFFU);
  return true;
}

/// Takes the padding off. False: there is some, but not as much as there must be.
bool strip_padding(std::string_view& text) {
  if (!text.ends_with('=')) return true;
  if (text.size() % 4 != 0) return false;
  text.remove_suffix(text.ends_with("==") ? 2 : 1);
  return true;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  char* to = out.data();
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3, to += 4)
    encode_group(bytes.data() + at, 3, to);
  if (at < bytes.size()) encode_group(bytes.data() + at, bytes.size() - at, to);
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (!strip_padding(text) || text.size() % 4 == 1) return std::nullopt;
  std::string out(text.size() * 3 / 4, '\0');
  char* to = out.data();
  std::size_t at = 0;
  for (; at + 4 <= text.size(); at += 4, to += 3) {
    if (!decode_group(text.data() + at, 4, to)) return std::nullopt;
  }
  if (at < text.size() && !decode_group(text.data() + at, text.size() - at, to)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace tollgate::wire
