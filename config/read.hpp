// Reading: the merged tree -> Config, by the visitors of fields.hpp, with every unknown key, wrong
// type and missing key reported. Keeps a side table from path to place, so that the checks after
// reading (validate.cpp) can still name where a value stands. Called by load.cpp. Pure.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/node.hpp"

namespace tollgate::config {

/// Where a value of the file stands and whether a message may show it.
struct Spot {
  Place key, value;
  bool expanded = false;
  bool usable = true;  ///< read without a problem
};

class Spots {
 public:
  using Path = std::initializer_list<std::string_view>;
  void set(const std::string& joined, const Spot& spot) { spots_[joined] = spot; }
  /// nullptr: the file does not have it.
  [[nodiscard]] const Spot* find(Path path) const;
  [[nodiscard]] const Spot* find_joined(const std::string& joined) const;
  /// Appends one step to a joined path; names may hold any character.
  static void append(std::string& joined, std::string_view step);

 private:
  std::unordered_map<std::string, Spot> spots_;
};

void read_config(const Node& root, Config& config, Spots& spots, Problems& problems);

}  // namespace tollgate::config
