#include "config/load.hpp"

#include "config/include.hpp"
#include "config/validate.hpp"

namespace tollgate::config {
namespace {

void validate(const Checking& check) {
  check_listen(check);
  check_providers(check);
  check_models(check);
  check_tenants(check);
  check_cache(check);
  check_money(check);
  check_store(check);
}

Loaded load(Gathered gathered, const std::string& source, const Surroundings& surroundings,
            Problems& problems) {
  Loaded out;
  out.files = gathered.files;
  if (gathered.root) {
    Config config;
    Spots spots;
    read_config(*gathered.root, config, spots, problems);
    config.source = source;
    config.files = std::move(gathered.files);
    // With a file missing every name in it would seem not to exist.
    if (!gathered.partial) {
      validate({config, spots, surroundings, problems, out.notes});
    }
    out.files = config.files;
    if (problems.empty()) out.config = std::move(config);
  }
  out.problems = problems.take();
  if (!out.config) out.notes.clear();
  return out;
}

}  // namespace

Loaded load_file(const std::string& path, const Surroundings& surroundings) {
  Problems problems;
  return load(gather_file(path, surroundings, problems), path, surroundings, problems);
}

Loaded load_text(std::string_view text, const std::string& name, const Surroundings& surroundings) {
  Problems problems;
  return load(gather_text(text, name, surroundings, problems), name, surroundings, problems);
}

}  // namespace tollgate::config
