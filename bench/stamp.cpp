#include "bench/stamp.hpp"

namespace tollgate::bench {
namespace {

void write_digits(char* out, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i-- > 0; value /= 10)
    out[i] = static_cast<char>('0' + value % 10);
}

std::optional<std::uint64_t> read_digits(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

constexpr std::size_t at_sign = 1 + Stamp::sequence_digits;

}  // namespace

void Stamp::write(char* out) const {
  out[0] = '[';
  write_digits(out + 1, sequence_digits, sequence);
  out[at_sign] = '@';
  write_digits(out + at_sign + 1, time_digits, static_cast<std::uint64_t>(sent_ns));
  out[size - 1] = ']';
}

std::optional<Stamp> read_stamp(std::string_view text) {
  if (text.size() < Stamp::size || text[0] != '[' || text[at_sign] != '@' ||
      text[Stamp::size - 1] != ']')
    return std::nullopt;
  const auto sequence = read_digits(text.substr(1, Stamp::sequence_digits));
  const auto sent = read_digits(text.substr(at_sign + 1, Stamp::time_digits));
  if (!sequence || !sent) return std::nullopt;
  return Stamp{*sequence, static_cast<std::int64_t>(*sent)};
}

std::optional<Stamp> next_stamp(std::string_view& text) {
  for (std::size_t at = text.find('['); at != text.npos; at = text.find('[', at + 1)) {
    const auto stamp = read_stamp(text.substr(at));
    if (!stamp) continue;
    text.remove_prefix(at + Stamp::size);
    return stamp;
  }
  return std::nullopt;
}

}  // namespace tollgate::bench
