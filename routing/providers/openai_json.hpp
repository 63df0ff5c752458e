// Small readers over the JSON of OpenAI-shaped replies: the wanted members of an object in one
// walk, counts, strings whose escapes may be cut between fragments. Used by the openai decoder on
// text that was checked as a whole first; views point into the text or the batch.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/block.hpp"
#include "gateway/wire/json_scan.hpp"

namespace tollgate::routing::openai {

/// One member that the caller wants: its JSON text is put into `value`; absent and null leave it.
struct Want {
  std::string_view name;
  std::string_view& value;
};

/// Reads the wanted members of `object`; anything that is no object has none.
void pick(std::string_view object, std::initializer_list<Want> wants);

/// Where the text of a member of that name goes.
template <class Object>
struct Part {
  std::string_view name;
  std::string_view Object::* place;
};

/// The same while text is being checked: takes the value at the cursor, which is the member
/// `name`'s, to its place, if it has one. False: it is no JSON.
template <class Object, std::size_t N>
[[nodiscard]] bool take(wire::JsonScanner& scan, std::string_view name,
                        const std::array<Part<Object>, N>& parts, Object& out) {
  const std::size_t begin = scan.at();
  if (!scan.value()) return false;
  for (const Part<Object>& part : parts) {
    if (part.name != name) continue;
    if (scan.since(begin) != "null") out.*part.place = scan.since(begin);
    break;
  }
  return true;
}

/// How deep a reply may be nested.
constexpr int depth_max = 64;
[[nodiscard]] inline bool is_string(std::string_view value) { return value.starts_with('"'); }
/// True for "", [], {}, null, absent, and an object of nothing but these.
[[nodiscard]] bool says_nothing(std::string_view value);

/// A count that is not negative; floats are cut to whole numbers.
[[nodiscard]] std::optional<std::uint64_t> count(std::string_view value);
/// A string's text, a number's digits, any other value's JSON; empty when absent.
[[nodiscard]] std::string text(std::string_view value);
/// The same as a view that lives as long as `batch`, which holds the block of `value`.
[[nodiscard]] std::string_view text_in(std::string_view value, Batch& batch);

/// A text that comes as fragments of a JSON string. An escape for half a character (a high
/// surrogate) at the end of a fragment waits for its other half in the next one.
class FragmentText {
 public:
  /// The text of the next fragment, given with its quotes.
  std::string_view take(std::string_view quoted, Batch& out);

 private:
  std::string held_;
};

}  // namespace tollgate::routing::openai
