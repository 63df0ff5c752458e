// The scan of long JSON strings, with the vectors that the processor has: prompts of 100 KB are
// common, and there it is most of what the gateway itself does.
#include "gateway/wire/scan.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tollgate::wire {
namespace {

/// What ends a run beside quotes and backslashes; each ends it at what the one before does too.
enum class RunEnd : std::uint8_t { none, control, no_ascii };

#if defined(__x86_64__)
constexpr std::size_t step = 4 * sizeof(__m256i);

/// For each low half of a byte the mark that has it, a quote or a backslash; else what no byte of
/// that half equals.
[[gnu::target("avx2")]] __m256i marks() {
  const __m128i table = _mm_setr_epi8(-1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\\', 0, 0, 0);
  return _mm256_broadcastsi128_si256(table);
}

/// Length of the plain run, in whole steps.
template <RunEnd End>
[[gnu::target("avx2")]] std::size_t plain_steps(const char* data, std::size_t size) {
  const __m256i mark_of = marks();
  const __m256i last_control = _mm256_set1_epi8(0x1F);
  std::size_t at = 0;
  for (; at + step <= size; at += step) {
    __m256i found = _mm256_setzero_si256();
    __m256i least = _mm256_set1_epi8(0x7F);
    for (std::size_t i = 0; i < step; i += sizeof(__m256i)) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + at + i));
      const __m256i mark = _mm256_shuffle_epi8(mark_of, bytes);
      found = _mm256_or_si256(found, _mm256_cmpeq_epi8(mark, bytes));
      // As signed bytes, what is no ASCII lies below the control characters.
      if constexpr (End == RunEnd::no_ascii) least = _mm256_min_epi8(least, bytes);
      if constexpr (End == RunEnd::control) least = _mm256_min_epu8(least, bytes);
    }
    if constexpr (End == RunEnd::no_ascii) {
      found = _mm256_or_si256(found, _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), least));
    } else if constexpr (End == RunEnd::control) {
      const __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(least, last_control), least);
      found = _mm256_or_si256(found, control);
    }
    if (_mm256_testz_si256(found, found) == 0) break;
  }
  return at;
}

bool has_wide_vectors() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#else
template <RunEnd>
std::size_t plain_steps(const char*, std::size_t) {
  return 0;
}
bool has_wide_vectors() { return false; }
#endif

template <RunEnd End>
std::size_t wide_steps(std::string_view text) {
  return has_wide_vectors() ? plain_steps<End>(text.data(), text.size()) : 0;
}

}  // namespace

std::size_t json_plain_run_long(std::string_view text) {
  const std::size_t steps = wide_steps<RunEnd::control>(text);
  return steps + json_plain_run_short(text.substr(steps));
}

std::size_t json_string_run_long(std::string_view text) {
  const std::size_t steps = wide_steps<RunEnd::none>(text);
  return steps + json_string_run_short(text.substr(steps));
}

std::size_t json_ascii_run_long(std::string_view text) {
  const std::size_t steps = wide_steps<RunEnd::no_ascii>(text);
  return steps + find_byte(text.substr(steps), NotPlainAscii{});
}

}  // namespace tollgate::wire
