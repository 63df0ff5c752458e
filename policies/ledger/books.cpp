#include "policies/ledger/books.hpp"

#include <filesystem>

#include "policies/ledger/postgres.hpp"

namespace tollgate::ledger {

Places places_of(const config::LedgerConfig& config) {
  std::filesystem::path folder = config.journal.dir;
  if (config.postgres) {
    const auto place = pg_place(config.postgres->url.value);
    if (folder.empty()) folder = ".";
    const std::string name = (place ? place->database : "tollgate") + ".journal";
    return {.database = place ? place->label : "PostgreSQL", .journal = (folder / name).string()};
  }
  const std::filesystem::path database(config.sqlite ? config.sqlite->path
                                                     : config::SqliteConfig{}.path);
  if (folder.empty()) folder = database.has_parent_path() ? database.parent_path() : ".";
  const std::string name = database.filename().string() + ".journal";
  return {.database = database.string(), .journal = (folder / name).string()};
}

Result<std::unique_ptr<Books>> open_books(const config::LedgerConfig& config, bool read_only) {
  if (config.postgres) return open_postgres(config.postgres->url.value, read_only);
  const std::string path = places_of(config).database;
  std::error_code ignored;
  if (read_only && !std::filesystem::exists(path, ignored)) {
    return fail(ErrorKind::internal, "ledger " + path + ": there is no such file");
  }
  return open_sqlite(path, read_only, config.journal.fsync);
}

}  // namespace tollgate::ledger
