#include "gateway/wire/http_syntax.hpp"

#include <array>
#include <charconv>

#include "gateway/core/http.hpp"
#include "gateway/wire/http_head.hpp"

namespace tollgate::wire {
namespace {

constexpr int empty_lines_max = 2;
constexpr std::uint64_t length_max = 1ULL << 62U;

constexpr std::array<bool, 256> make_token_bytes() {
  std::array<bool, 256> is_token{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    is_token[static_cast<std::uint8_t>(c)] = true;
  return is_token;
}
constexpr std::array<bool, 256> token_bytes = make_token_bytes();

}  // namespace

std::size_t token_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && token_bytes[static_cast<std::uint8_t>(text[length])])
    ++length;
  return length;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t length = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), end, length);
  if (error != std::errc{} || stop != end || length > length_max) return std::nullopt;
  return length;
}

std::string_view skip_empty_lines(std::string_view text) {
  for (int i = 0; i < empty_lines_max && text.starts_with("\r\n"); ++i)
    text.remove_prefix(2);
  return text;
}

void Persistence::read(std::string_view value) {
  for_each_element(value, [this](std::string_view token) {
    close = close || iequals(token, "close");
    keep = keep || iequals(token, "keep-alive");
  });
}

std::size_t head_length(std::string_view buffer, std::size_t seen) {
  const std::string_view head = skip_empty_lines(buffer);
  const std::size_t skipped = buffer.size() - head.size();
  // A head that begins with one more empty line is whole: the parser refuses it.
  if (head.starts_with('\n')) return skipped + 1;
  if (head.starts_with("\r\n")) return skipped + 2;
  // The last two bytes seen may be the LF and CR of a blank line that was cut.
  std::size_t at = seen > skipped + 2 ? seen - skipped - 2 : 0;
  while ((at = head.find('\n', at)) != std::string_view::npos) {
    const std::string_view rest = head.substr(++at);
    if (rest.starts_with('\n')) return skipped + at + 1;
    if (rest.starts_with("\r\n")) return skipped + at + 2;
  }
  return 0;
}

}  // namespace tollgate::wire
