// The grammar of JSON (RFC 8259) as small scanners over a cursor: one pass, no document, no copy.
// Used by JsonShape and the scalar readers beside it; pure, any thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "gateway/wire/scan.hpp"

namespace tollgate::wire {

constexpr bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// Without the space around it.
constexpr std::string_view trim_json(std::string_view text) {
  while (!text.empty() && is_json_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_json_space(text.back()))
    text.remove_suffix(1);
  return text;
}

/// Walks over JSON text. Every function leaves the cursor behind what it took; false: the text is
/// no JSON at the cursor, and `problem` says why.
class JsonScanner {
 public:
  /// `watched`: see saw_watched; it outlives the scan.
  JsonScanner(std::string_view text, int depth_max, std::string_view watched = {})
      : text_(text), watched_(watched), depth_left_(depth_max) {}

  void space() {
    while (at_ < text_.size() && is_json_space(text_[at_]))
      ++at_;
  }
  bool value();  ///< any value, strictly checked
  /// From quote to quote; escapes checked. Most end within the first block.
  bool string() {
    escaped_ = false;
    const std::size_t begin = at_ + 1;
    if (begin + sizeof(ByteBlock) <= text_.size() && text_[at_] == '"') {
      const std::size_t run = find_in_block<ByteBlock>(text_.data() + begin, NotPlainAscii{});
      if (run < sizeof(ByteBlock) && text_[begin + run] == '"') {
        at_ = begin + run + 1;
        return true;
      }
    }
    return any_string();
  }
  /// The string that was taken last holds an escape.
  [[nodiscard]] bool escaped() const { return escaped_; }
  bool number();
  /// Takes `c` when it stands next.
  bool take(char c) {
    if (!stands_at(c)) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] bool stands_at(char c) const { return !at_end() && text_[at_] == c; }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::string_view since(std::size_t begin) const {
    return text_.substr(begin, at_ - begin);
  }
  bool fail(std::string_view problem);
  [[nodiscard]] std::string_view problem() const { return problem_; }
  /// An object inside a value has a member of the watched name, however it is spelt.
  [[nodiscard]] bool saw_watched() const { return saw_watched_; }
  /// What takes an object's members itself says their names here.
  void saw(std::string_view name) { saw_watched_ |= name == watched_; }
  /// A string that was taken holds more than ASCII: whether that is UTF-8 was not looked at.
  [[nodiscard]] bool saw_beyond_ascii() const { return beyond_ascii_; }
  /// Counts one container more; false: too deep.
  bool enter() {
    if (depth_left_ <= 0) return fail("it is nested too deeply");
    --depth_left_;
    return true;
  }
  void leave() { ++depth_left_; }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool any_string();
  void plain_run();
  bool literal(std::string_view word);
  bool object();
  bool array();
  bool escape();
  bool digits();

  std::string_view text_, watched_;
  std::size_t at_ = 0;
  int depth_left_;
  bool saw_watched_ = false, escaped_ = false, beyond_ascii_ = false;
  std::string_view problem_;
};

/// The text of a string, its quotes taken off and its escapes checked. Lone surrogates become
/// U+FFFD.
[[nodiscard]] std::string json_unescape(std::string_view inner);

/// Takes what stands between `open` and `close`, items with commas between them; `take_item()`
/// takes each. `unclosed` says what is wrong where neither a comma nor the end follows.
template <class TakeItem>
bool scan_items(JsonScanner& scan, char open, char close, std::string_view unclosed,
                TakeItem take_item) {
  if (!scan.enter() || !scan.take(open)) return false;
  scan.space();
  if (!scan.take(close)) {
    do {
      scan.space();
      if (!take_item()) return false;
      scan.space();
    } while (scan.take(','));
    if (!scan.take(close)) return scan.fail(unclosed);
  }
  scan.leave();
  return true;
}

/// Takes the object that stands next. `take_value(name)` is called with the cursor at each member's
/// value, and takes it; `name` is unescaped and lives as long as the call.
template <class TakeValue>
bool scan_object(JsonScanner& scan, TakeValue take_value) {
  return scan_items(scan, '{', '}', "a comma or a closing brace was expected", [&] {
    const std::size_t begin = scan.at();
    if (!scan.string()) return false;
    std::string_view name = scan.since(begin + 1);
    name.remove_suffix(1);
    std::string unescaped;
    if (scan.escaped()) name = unescaped = json_unescape(name);
    scan.space();
    if (!scan.take(':')) return scan.fail("a colon was expected behind a name");
    scan.space();
    return take_value(name);
  });
}

/// Takes the array that stands next; `take_element()` takes each of its elements.
template <class TakeElement>
bool scan_array(JsonScanner& scan, TakeElement take_element) {
  return scan_items(scan, '[', ']', "a comma or a closing bracket was expected", take_element);
}

}  // namespace tollgate::wire
