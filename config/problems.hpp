// Problems: collects everything that is wrong with a configuration, each thing with its place.
// Filled by every step of a load, turned into Loaded::problems at its end. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"

namespace tollgate::config {

/// Where something stands. `file` is an index into Problems::files; line and column count from 1.
struct Place {
  std::uint32_t file = 0;
  int line = 0, column = 0;
  auto operator<=>(const Place&) const = default;
};

class Problems {
 public:
  /// Names a file once more; its index goes into Place::file.
  std::uint32_t add_file(std::string name);
  void add(Place place, std::string message);
  /// `message (did you mean "x"?)` where a candidate is near. Only the first hundred problems are
  /// worth the search, which is quadratic in a hostile file.
  void add_with_suggestion(Place place, std::string message, std::string_view word,
                           const std::vector<std::string_view>& candidates);

  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] const std::string& file(std::uint32_t index) const { return files_[index]; }
  [[nodiscard]] std::string where(Place place) const;  ///< `tollgate.yaml:14`
  /// Sorted by place, without repeats.
  [[nodiscard]] std::vector<Problem> take();

 private:
  struct Found {
    Place place;
    std::string message;
    auto operator<=>(const Found&) const = default;
  };
  std::vector<std::string> files_;
  std::vector<Found> found_;
  bool too_many_ = false;
};

/// `"text"` for a message: clipped, control characters replaced.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace tollgate::config
