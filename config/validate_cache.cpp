#include "config/validate.hpp"

namespace tollgate::config {

void check_cache(const Checking& check) {
  const auto& cache = check.config.cache;
  if (cache && cache->max_entry.count > cache->max_bytes.count / 2) {
    const bool named = check.spots.find({"cache", "max_entry"}) != nullptr;
    check.complain({"cache", named ? "max_entry" : "max_bytes"},
                   "\"max_entry\" must be at most half of \"max_bytes\"");
  }
  for (const auto& [name, tenant] : check.config.tenants) {
    if (!cache && check.spots.find({"tenants", name, "cache"}) != nullptr) {
      check.notes.push_back("tenants." + name + ".cache says nothing without a cache section");
    }
  }
}

}  // namespace tollgate::config
