// Walks one level of JSON text: the members of an object, the elements of an array, each as its own
// text. No document, no copy: what is kept raw keeps its key order and its large numbers.
// Used by dialect decoders on text that was checked as a whole before: here nothing is judged
// again, only the ends of values are looked for. Other text ends the walk early, and never leads
// beyond it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::wire {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// By the first byte, which is enough for text that was checked.
[[nodiscard]] JsonKind json_kind(std::string_view value);

/// The cursor below the two walks. What it takes is empty where the text is no JSON.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) { space(); }
  void space();
  /// Takes `c` when it stands next.
  bool take(char c);
  /// Takes the string that stands next, with its quotes.
  std::string_view string();
  /// The string that was taken last holds an escape.
  [[nodiscard]] bool escaped() const { return escaped_; }
  /// Takes the value that stands next.
  std::string_view value();
  /// Goes on at `rest`, an end of the text.
  void go_to(std::string_view rest) { at_ = text_.size() - rest.size(); }
  /// What was not taken yet.
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

 private:
  [[nodiscard]] std::size_t string_end(std::size_t begin);
  [[nodiscard]] std::size_t container_end(std::size_t begin);
  [[nodiscard]] std::size_t scalar_end(std::size_t begin) const;
  std::string_view take_until(std::size_t end);

  std::string_view text_;
  std::size_t at_ = 0;
  bool escaped_ = false;
};

class JsonMembers {
 public:
  /// `object` may go on behind the object's end.
  explicit JsonMembers(std::string_view object);
  /// Goes to the next member; false: there is none.
  bool next();
  [[nodiscard]] std::string_view name() const { return name_; }  ///< unescaped; until next()
  [[nodiscard]] std::string_view value() const { return value_; }
  /// Once there is no next: what stands behind the object.
  [[nodiscard]] std::string_view rest() {
    cursor_.take('}');
    return cursor_.rest();
  }

 private:
  JsonCursor cursor_;
  std::string_view name_, value_;
  std::string unescaped_;
  char before_ = '{';
};

class JsonElements {
 public:
  explicit JsonElements(std::string_view array);
  bool next();
  [[nodiscard]] std::string_view value() const { return value_; }

  /// In place of `next`, for who walks over the element too and so finds its end: goes to the next
  /// element and gives the text that begins with it; empty: there is none.
  std::string_view open();
  /// What stands behind the element: an end of that text.
  void close(std::string_view rest);

 private:
  JsonCursor cursor_;
  std::string_view value_;
  char before_ = '[';
};

/// The text of an object's member; JSON null counts as absent. Of two with one name the last wins,
/// as it does at most providers.
[[nodiscard]] std::optional<std::string_view> json_member(std::string_view object,
                                                          std::string_view name);

}  // namespace tollgate::wire
