#include "gateway/app/seam.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::app {
namespace {

constexpr std::string_view blank = " \t\r\n";

bool is_blank(char c) { return blank.contains(c); }

/// Scripts without spaces: any of their characters may begin a word.
bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0xC0U; }

std::size_t text_size(std::string_view text) {
  const std::size_t last = text.find_last_not_of(blank);
  return last == std::string_view::npos ? 0 : last + 1;
}

}  // namespace

Seam::Seam(std::string so_far, Start start) : so_far_(std::move(so_far)), start_(start) {
  const std::size_t size = text_size(so_far_);
  space_ = so_far_.substr(size);
  so_far_.resize(size);
  for (std::size_t at = 0; at < size; ++at) {
    if (starts_word(at) && is_long_enough(at)) candidates_.push_back(at);
  }
  if (candidates_.empty()) state_ = State::space;
}

bool Seam::starts_word(std::size_t at) const {
  if (is_blank(so_far_[at])) return false;
  return at == 0 || is_blank(so_far_[at - 1]) || begins_character(so_far_[at]);
}

/// Whether the rest of the text, said again, is no accident.
bool Seam::is_long_enough(std::size_t at) const {
  constexpr std::size_t words_min = 12, word_min = 24, characters_min = 6;
  const std::string_view rest = std::string_view(so_far_).substr(at);
  if (start_ == Start::behind) {
    return rest.size() >= word_min || (rest.size() >= words_min && rest.contains(' '));
  }
  return at == 0 || is_blank(so_far_[at - 1]) || rest.size() >= characters_min;
}

std::string Seam::feed(std::string_view text) {
  held_ += text;
  if (state_ == State::repetition) look_for_repetition();
  if (state_ == State::space && held_.find_first_not_of(blank) != std::string::npos) join();
  return state_ == State::joined ? std::exchange(held_, {}) : std::string();
}

std::string Seam::finish() {
  if (state_ == State::repetition) {
    held_.erase(0, repeated_);
    state_ = State::space;
  }
  if (state_ == State::space) join();
  return std::exchange(held_, {});
}

/// A longer repetition is looked for as long as one is possible.
void Seam::look_for_repetition() {
  std::size_t lead = 0;
  if (start_ == Start::with_last_words) lead = held_.find_first_not_of(blank);
  if (lead == std::string::npos || held_.empty()) return;
  const std::string_view said = std::string_view(held_).substr(lead);
  std::erase_if(candidates_, [&](std::size_t at) {
    const std::string_view rest = std::string_view(so_far_).substr(at);
    if (said.size() < rest.size()) return !rest.starts_with(said);
    if (said.starts_with(rest)) repeated_ = std::max(repeated_, lead + rest.size());
    return true;
  });
  if (!candidates_.empty()) return;
  held_.erase(0, repeated_);
  state_ = State::space;
}

/// White space that the client has already is not sent again, nor such as the first provider would
/// have had in its place.
void Seam::join() {
  const std::size_t size = std::min(held_.find_first_not_of(blank), held_.size());
  const std::string_view begin = std::string_view(held_).substr(0, size);
  if (begin.starts_with(space_)) {
    held_.erase(0, space_.size());
  } else if (space_.starts_with(begin)) {
    held_.erase(0, size);
  }
  state_ = State::joined;
}

std::string_view last_words(std::string_view text) {
  constexpr std::size_t words = 5, bytes_max = 80;
  text = text.substr(0, text_size(text));
  std::size_t at = text.size();
  for (std::size_t count = 0; count < words && at > 0; ++count) {
    const std::size_t end = text_size(text.substr(0, at));
    const std::size_t before = text.substr(0, end).find_last_of(blank);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    if (text.size() - begin > bytes_max) break;
    at = begin;
  }
  if (at < text.size()) return text.substr(at);
  // One long word, or a script without spaces: from where a character begins.
  at = text.size() > bytes_max ? text.size() - bytes_max : 0;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U)
    ++at;
  return text.substr(at);
}

}  // namespace tollgate::app
