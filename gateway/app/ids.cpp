#include "gateway/app/ids.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <openssl/rand.h>
#include <random>
#include <string_view>

namespace tollgate::app {
namespace {

/// The two digits of every byte.
constexpr auto hex_pairs = [] {
  constexpr std::string_view alphabet = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte)
    pairs[byte] = {alphabet[byte / 16], alphabet[byte % 16]};
  return pairs;
}();

/// Writes the lowest `digits` digits of `value`, an even number of them, and returns where they
/// end.
char* write_hex(char* to, std::uint64_t value, int digits) {
  for (int shift = 4 * digits - 8; shift >= 0; shift -= 8)
    to = std::ranges::copy(hex_pairs[(value >> shift) & 255U], to).out;
  return to;
}

}  // namespace

IdSource::IdSource() {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(state_.data()), sizeof state_) != 1) {
    std::random_device device;
    for (std::uint64_t& word : state_)
      word = (std::uint64_t{device()} << 32U) | device();
  }
}

/// xoshiro256**: 74 random bits behind the time make a clash between replicas unthinkable.
std::uint64_t IdSource::random() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::string IdSource::next(SystemTime now) {
  const auto milliseconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  constexpr std::uint64_t version = 7ULL << 12U;
  constexpr std::uint64_t variant = 2ULL << 14U;
  const std::uint64_t high = random();
  const std::uint64_t low = random();
  std::string id(36, '-');
  char* at = id.data();
  at = write_hex(at, milliseconds >> 16U, 8) + 1;
  at = write_hex(at, milliseconds, 4) + 1;
  at = write_hex(at, version | (high & 0xfffU), 4) + 1;
  at = write_hex(at, variant | ((high >> 12U) & 0x3fffU), 4) + 1;
  write_hex(at, low, 12);
  return id;
}

}  // namespace tollgate::app
