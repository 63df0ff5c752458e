#include "gateway/wire/json_text.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "gateway/wire/json_writer.hpp"
#include "gateway/wire/scan.hpp"

namespace tollgate::wire {
namespace {

constexpr std::size_t first_capacity = 2048;
constexpr std::size_t scan_block = sizeof(ByteBlock);

}  // namespace

/// Copied first and looked at there: with a blank block behind it the copy is scanned in whole
/// blocks, whatever its length, which halves what the short values of a line cost.
JsonText& JsonText::string(std::string_view text) {
  char* begin = room(text.size() + scan_block + 2);
  *begin++ = '"';
  char* end = std::ranges::copy(text, begin).out;
  std::memset(end, ' ', scan_block);
  const std::size_t blocks = (text.size() + scan_block - 1) / scan_block;
  if (json_ascii_run({begin, blocks * scan_block}) < text.size()) return escaped(text);
  *end++ = '"';
  return advance(end);
}

JsonText& JsonText::escaped(std::string_view text) {
  std::string quoted;
  append_quoted(quoted, text);
  return advance(std::ranges::copy(quoted, room(quoted.size())).out);
}

void JsonText::grow(std::size_t bytes) {
  const std::size_t wanted = std::max({size_ + bytes, 2 * capacity_, first_capacity});
  auto larger = std::make_unique_for_overwrite<char[]>(wanted);
  if (size_ > 0) std::memcpy(larger.get(), memory_.get(), size_);
  memory_ = std::move(larger);
  capacity_ = wanted;
}

}  // namespace tollgate::wire
