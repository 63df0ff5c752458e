#include "gateway/wire/json_text.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::wire {
namespace {

constexpr std::size_t first_capacity = 2048;

}  // namespace

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
