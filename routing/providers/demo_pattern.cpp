// The shortest plain string for a regular expression: literals, classes, groups, alternatives (the
// first), quantifiers (the least, but once where that is allowed).
#include <charconv>
#include <optional>

#include "routing/providers/demo_schema.hpp"

namespace tollgate::routing::demo {
namespace {

class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : text_(pattern) {}

  std::optional<std::string> read() {
    std::string out = alternatives();
    if (!ok_ || at_ != text_.size()) return std::nullopt;
    return out;
  }

 private:
  static constexpr std::size_t repeats_max = 10000;
  static constexpr int depth_max = 32;

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string alternatives() {
    if (++depth_ > depth_max) ok_ = false;
    std::string first = sequence();
    while (ok_ && take('|'))
      sequence();
    --depth_;
    return first;
  }

  std::string sequence() {
    std::string out;
    while (ok_ && at_ < text_.size() && peek() != '|' && peek() != ')') {
      if (take('^') || take('$')) continue;
      const std::string one = atom();
      const std::size_t times = quantifier();
      for (std::size_t i = 0; i < times && ok_; ++i)
        out += one;
      if (out.size() > repeats_max) ok_ = false;
    }
    return out;
  }

  std::string atom() {
    if (take('(')) return group();
    if (take('[')) return std::string(1, char_class());
    if (take('\\')) return escape();
    if (take('.')) return "a";
    return std::string(1, text_[at_++]);
  }

  std::string group() {
    if (take('?')) {
      const bool named = take('P') ? true : peek() == '<';
      if (named && take('<') && peek() != '=' && peek() != '!') {
        const auto end = text_.find('>', at_);
        ok_ = ok_ && end != std::string_view::npos;
        if (ok_) at_ = end + 1;
      } else if (!take(':')) {
        ok_ = false;  // lookaround and the like
      }
    }
    if (!ok_) return {};
    std::string inner = alternatives();
    ok_ = ok_ && take(')');
    return inner;
  }

  static std::optional<char> class_escape(char c) {
    switch (c) {
      case 'd':
        return '1';
      case 'w':
      case 'D':
      case 'S':
        return 'a';
      case 's':
      case 'W':
        return ' ';
      case 'n':
        return '\n';
      case 't':
        return '\t';
      default:
        return std::nullopt;
    }
  }

  std::string escape() {
    if (at_ >= text_.size()) {
      ok_ = false;
      return {};
    }
    const char c = text_[at_++];
    if (c == 'b' || c == 'B') return {};  // an edge, no character
    if (c >= '1' && c <= '9') ok_ = false;
    if (c == 'p' || c == 'u' || c == 'x' || c == 'k') ok_ = false;
    return std::string(1, class_escape(c).value_or(c));
  }

  /// A member of the class: its first one, or for a negated class the first plain letter or digit
  /// that it does not name.
  char char_class() {
    const bool negated = take('^');
    std::string members;
    bool first = true;
    while (ok_ && (first || peek() != ']')) {
      first = false;
      if (at_ >= text_.size()) {
        ok_ = false;
        break;
      }
      add_range(members);
    }
    ok_ = ok_ && take(']') && !members.empty();
    if (!ok_) return 'a';
    if (!negated) return members.front();
    for (const char c : std::string_view("abcxyz0123456789ABC _")) {
      if (members.find(c) == std::string::npos) return c;
    }
    ok_ = false;
    return 'a';
  }

  char class_member() {
    const char c = text_[at_++];
    if (c != '\\' || at_ >= text_.size()) return c;
    const char escaped = text_[at_++];
    return class_escape(escaped).value_or(escaped);
  }

  void add_range(std::string& members) {
    const char from = class_member();
    if (peek() != '-' || at_ + 1 >= text_.size() || text_[at_ + 1] == ']') {
      members += from;
      return;
    }
    ++at_;
    const char to = class_member();
    for (int c = static_cast<unsigned char>(from); c <= static_cast<unsigned char>(to); ++c)
      members += static_cast<char>(c);
  }

  std::size_t quantifier() {
    std::size_t times = 1;
    if (take('*') || take('+') || take('?')) {
      times = 1;
    } else if (peek() == '{') {
      times = counted();
    }
    take('?');  // lazy
    return times;
  }

  std::size_t counted() {
    const auto end = text_.find('}', at_);
    if (end == std::string_view::npos) {
      ok_ = false;
      return 1;
    }
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    std::size_t least = 0;
    const auto [stop, error] = std::from_chars(inside.data(), inside.data() + inside.size(), least);
    const bool open_ended = stop != inside.data() + inside.size();
    if (error != std::errc() || least > repeats_max) ok_ = false;
    return least == 0 && open_ended && !inside.ends_with(",0") ? 1 : least;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool ok_ = true;
};

}  // namespace

std::string match_pattern(std::string_view pattern) {
  return PatternReader(pattern).read().value_or(std::string());
}

}  // namespace tollgate::routing::demo
