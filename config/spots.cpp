#include "config/read.hpp"

namespace tollgate::config {

void Spots::append(std::string& joined, std::string_view step) {
  // Length first: no name can then pass for two steps.
  (joined += std::to_string(step.size())) += ':';
  joined += step;
}

const Spot* Spots::find(Path path) const {
  std::string joined;
  for (const std::string_view step : path)
    append(joined, step);
  return find_joined(joined);
}

const Spot* Spots::find_joined(const std::string& joined) const {
  const auto found = spots_.find(joined);
  return found == spots_.end() ? nullptr : &found->second;
}

}  // namespace tollgate::config
