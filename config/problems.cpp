#include "config/problems.hpp"

#include <algorithm>

namespace tollgate::config {
namespace {

constexpr std::size_t problems_max = 1000;
constexpr std::size_t suggestions_max = 100;
constexpr std::size_t shown_bytes_max = 80;

}  // namespace

std::string Problem::text() const {
  std::string out = file;
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  return out + ": " + message;
}

std::uint32_t Problems::add_file(std::string name) {
  files_.push_back(std::move(name));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

void Problems::add(Place place, std::string message) {
  if (found_.size() < problems_max) {
    found_.push_back({place, std::move(message)});
  } else {
    too_many_ = true;
  }
}

void Problems::add_with_suggestion(Place place, std::string message, std::string_view word,
                                   const std::vector<std::string_view>& candidates) {
  if (found_.size() < suggestions_max) {
    const std::string_view near = suggest(word, candidates);
    if (!near.empty()) message += " (did you mean " + quote(near) + "?)";
  }
  add(place, std::move(message));
}

std::string Problems::where(Place place) const {
  return files_[place.file] + ":" + std::to_string(place.line);
}

std::vector<Problem> Problems::take() {
  std::sort(found_.begin(), found_.end());
  // What an alias repeats is wrong once.
  found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  std::vector<Problem> out;
  for (Found& found : found_) {
    out.push_back(
        {files_[found.place.file], found.place.line, found.place.column, std::move(found.message)});
  }
  if (too_many_) out.push_back({files_.front(), 0, 0, "more errors than are worth listing"});
  found_.clear();
  return out;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, shown_bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  // Never cut inside a UTF-8 sequence.
  if (text.size() > shown_bytes_max) {
    while ((static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U)
      out.pop_back();
    if (static_cast<unsigned char>(out.back()) >= 0xC0U) out.pop_back();
    out += "...";
  }
  return out + "\"";
}

}  // namespace tollgate::config
