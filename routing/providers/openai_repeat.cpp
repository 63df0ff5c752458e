#include "routing/providers/openai_repeat.hpp"

#include "gateway/wire/json_scan.hpp"

namespace tollgate::routing::openai {

void RepeatedChunk::learn(std::string_view chunk, std::string_view text) {
  if (tries_left_ == 0) return before_.clear();
  --tries_left_;
  const auto begin = static_cast<std::size_t>(text.data() - chunk.data());
  before_ = chunk.substr(0, begin);
  after_ = chunk.substr(begin + text.size());
}

bool RepeatedChunk::matches(std::string_view chunk, std::string_view& text) {
  if (before_.empty() || chunk.size() < before_.size() + after_.size()) return false;
  if (!chunk.starts_with(before_) || !chunk.ends_with(after_)) return false;
  const std::string_view quoted =
      chunk.substr(before_.size() - 1, chunk.size() - before_.size() - after_.size() + 2);
  wire::JsonScanner scan(quoted, 0);
  if (!scan.string() || !scan.at_end()) return false;
  text = quoted.substr(1, quoted.size() - 2);
  tries_left_ = tries;
  return true;
}

}  // namespace tollgate::routing::openai
