// Walks one level of JSON text: the members of an object, the elements of an array, each as its own
// text. No document, no copy: what is kept raw keeps its key order and its large numbers.
// Used by dialect decoders on bodies that JsonShape has checked; other text ends the walk early.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/wire/json_scan.hpp"

namespace tollgate::wire {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// By the first byte, which is enough for text that was checked.
[[nodiscard]] JsonKind json_kind(std::string_view value);

class JsonMembers {
 public:
  explicit JsonMembers(std::string_view object);
  /// Goes to the next member; false: there is none.
  bool next();
  [[nodiscard]] std::string_view name() const { return name_; }  ///< unescaped; until next()
  [[nodiscard]] std::string_view value() const { return value_; }

 private:
  JsonScanner scan_;
  std::string_view name_, value_;
  std::string unescaped_;
  char before_ = '{';
};

class JsonElements {
 public:
  explicit JsonElements(std::string_view array);
  bool next();
  [[nodiscard]] std::string_view value() const { return value_; }

 private:
  JsonScanner scan_;
  std::string_view value_;
  char before_ = '[';
};

/// The text of an object's member; JSON null counts as absent. Of two with one name the last wins,
/// as it does at most providers.
[[nodiscard]] std::optional<std::string_view> json_member(std::string_view object,
                                                          std::string_view name);

}  // namespace tollgate::wire
