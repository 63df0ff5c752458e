// A thin hold on SQLite: statements that are finalised, parameters bound in order, errors as Error.
// For policies/ledger only.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <sqlite3.h>
#include <string>
#include <string_view>

#include "gateway/core/error.hpp"

namespace tollgate::ledger {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

[[nodiscard]] inline std::unexpected<Error> sqlite_error(sqlite3* database) {
  Error error = make_error(ErrorKind::internal, "The ledger's database failed.");
  error.detail = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
  return std::unexpected(std::move(error));
}

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, std::string_view sql) {
    sqlite3_stmt* made = nullptr;
    sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                       SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    statement_.reset(made);
  }
  [[nodiscard]] bool good() const { return statement_ != nullptr; }

  Statement& text(std::string_view value) { return bind(value, SQLITE_TRANSIENT); }
  /// Without a copy: `value` must stay as it is until the statement is reset.
  Statement& kept_text(std::string_view value) { return bind(value, SQLITE_STATIC); }
  Statement& number(std::int64_t value) {
    sqlite3_bind_int64(statement_.get(), ++bound_, value);
    return *this;
  }
  Statement& number(std::uint64_t value) { return number(static_cast<std::int64_t>(value)); }
  Statement& maybe(std::optional<std::int64_t> value) {
    if (value) return number(*value);
    sqlite3_bind_null(statement_.get(), ++bound_);
    return *this;
  }

  /// True: a row is there. False: done. Error codes are left in the database.
  [[nodiscard]] int step() { return sqlite3_step(statement_.get()); }
  void reset() {
    sqlite3_reset(statement_.get());
    bound_ = 0;
  }
  [[nodiscard]] std::string text_at(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    return text == nullptr ? std::string()
                           : std::string(text, static_cast<std::size_t>(
                                                   sqlite3_column_bytes(statement_.get(), column)));
  }
  [[nodiscard]] std::int64_t number_at(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] std::optional<std::int64_t> maybe_at(int column) const {
    if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
    return number_at(column);
  }

 private:
  Statement& bind(std::string_view value, sqlite3_destructor_type life) {
    sqlite3_bind_text(statement_.get(), ++bound_, value.data(), static_cast<int>(value.size()),
                      life);
    return *this;
  }

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

}  // namespace tollgate::ledger
