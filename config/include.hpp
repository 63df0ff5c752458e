// Gathering: the main file and everything it includes, parsed, expanded and merged into one tree.
// Called by load.cpp. Reads files; one thread.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "config/node.hpp"

namespace tollgate::config {

struct Gathered {
  std::optional<Node> root;        ///< absent when nothing could be read at all
  bool partial = false;            ///< a file could not be read: what it defines is not known
  std::vector<std::string> files;  ///< for the watch
};

[[nodiscard]] Gathered gather_file(const std::string& path, const Surroundings& surroundings,
                                   Problems& problems);
[[nodiscard]] Gathered gather_text(std::string_view text, const std::string& name,
                                   const Surroundings& surroundings, Problems& problems);

}  // namespace tollgate::config
