// Expansion of ${VAR}, ${VAR:-default}, ${file:path} and $$ in the scalars of one parsed file.
// Called by include.cpp once per file, before anything is read from the tree. What comes out is
// marked, so that no message ever shows it. Reads files; one thread.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "config/node.hpp"

namespace tollgate::config {

/// Opens a regular file without blocking (a FIFO or device is refused) and reads at most
/// `bytes_max`. `error` says why not, without the path.
[[nodiscard]] std::optional<std::string> read_regular_file(const std::string& path,
                                                           std::size_t bytes_max,
                                                           std::string& error);
/// `path` as it counts from the folder of the file `from`.
[[nodiscard]] std::string relative_to(const std::string& from, const std::string& path);

class Expander {
 public:
  Expander(const Surroundings& surroundings, Budget& budget, Problems& problems)
      : surroundings_(surroundings), budget_(budget), problems_(problems) {}

  /// Expands every scalar below `node`; mapping keys stay as they are.
  void expand(Node& node);
  /// The `${file:}` files that were named, readable or not.
  [[nodiscard]] const std::vector<std::string>& files() const { return files_; }

 private:
  void expand_scalar(Node& node);
  std::optional<std::string> value_of(const Node& node, std::string_view inside);
  std::optional<std::string> file_text(const Node& node, std::string_view path);

  const Surroundings& surroundings_;
  Budget& budget_;
  Problems& problems_;
  std::vector<std::string> files_;
  std::map<std::string, std::string> texts_;
};

}  // namespace tollgate::config
