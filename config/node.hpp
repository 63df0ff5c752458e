// Node: one YAML value with its place, as loading walks it. Our own tree, since yaml-cpp's keeps
// duplicate keys silently, follows aliases without bound and turns 012 into 10.
// Built by parse_yaml (yaml.cpp), changed only by expand and include. One thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"

namespace tollgate::config {

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, mapping };
  Kind kind = Kind::null;
  bool quoted = false;    ///< a scalar in quotes or a block scalar: always text
  bool expanded = false;  ///< holds something from the environment or a file: never shown
  bool unusable = false;  ///< its expansion failed and was reported
  Place place;
  Place key_place;             ///< of a mapping's entry
  std::string key;             ///< of a mapping's entry
  std::string text;            ///< of a scalar
  std::vector<Node> children;  ///< items of a list, entries of a mapping (keys are unique)

  [[nodiscard]] const Node* find(std::string_view name) const;
  /// Where a message about this value as a whole points: its key, if it has one.
  [[nodiscard]] Place head() const { return key_place.line > 0 ? key_place : place; }
};

/// What one load may use up over all its files, so that no input makes it run away.
struct Budget {
  std::size_t nodes = 500'000;
  std::size_t bytes = 64U << 20U;
  /// Takes one node with `text_bytes` of text; false: used up.
  [[nodiscard]] bool take(std::size_t text_bytes);
};

inline constexpr std::size_t file_bytes_max = 8U << 20U;
inline constexpr std::size_t depth_max = 64;

/// The one document in `text`. Absent after a syntax error; duplicate keys, merge keys and tags are
/// reported and left out, so that the rest is still checked. An empty text is an empty mapping.
[[nodiscard]] std::optional<Node> parse_yaml(std::string_view text, std::uint32_t file,
                                             Budget& budget, Problems& problems);

}  // namespace tollgate::config
