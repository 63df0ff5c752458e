// A thin hold on PostgreSQL: a connection whose every question has a time limit on this side too,
// so that a server that hangs holds nobody, and results by row and column. For policies/ledger
// only; one thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"

namespace tollgate::ledger {

/// Values of one statement, in order, as text. Takes what a packed row gives.
class PgValues {
 public:
  PgValues& text(std::string_view value);
  PgValues& number(std::int64_t value) { return add(std::to_string(value)); }
  PgValues& number(std::uint64_t value) { return number(static_cast<std::int64_t>(value)); }
  PgValues& maybe(std::optional<std::int64_t> value) {
    if (value) return number(*value);
    values_.emplace_back(std::nullopt);
    return *this;
  }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] std::vector<const char*> pointers() const;

 private:
  PgValues& add(std::string value) {
    values_.emplace_back(std::move(value));
    return *this;
  }
  std::vector<std::optional<std::string>> values_;
};

/// One row of a result.
class PgRow {
 public:
  PgRow(const PGresult* result, int row) : result_(result), row_(row) {}
  [[nodiscard]] std::string text_at(int column) const { return PQgetvalue(result_, row_, column); }
  [[nodiscard]] std::int64_t number_at(int column) const;
  [[nodiscard]] std::optional<std::int64_t> maybe_at(int column) const {
    if (PQgetisnull(result_, row_, column) != 0) return std::nullopt;
    return number_at(column);
  }

 private:
  const PGresult* result_;
  int row_;
};

class PgResult {
 public:
  explicit PgResult(PGresult* result) : result_(result) {}
  [[nodiscard]] int rows() const { return PQntuples(result_.get()); }
  [[nodiscard]] PgRow row(int number) const { return {result_.get(), number}; }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

class PgLink {
 public:
  /// `patience`: of each question, and of the server with it.
  PgLink(std::string url, std::chrono::milliseconds patience)
      : url_(std::move(url)), patience_(patience) {}

  /// Does nothing while the connection stands; else a new one. Error: the server's words.
  Result<void> connect();
  /// One statement with values, or several without.
  Result<PgResult> ask(const std::string& sql, const PgValues& values = {});
  /// Runs `work` in a transaction; what fails is rolled back.
  Result<void> transaction(const std::string& begin, const std::function<Result<void>()>& work);

 private:
  [[nodiscard]] std::unexpected<Error> failed(std::string detail);
  [[nodiscard]] bool wait_for(bool writing, std::chrono::steady_clock::time_point deadline) const;
  Result<PGresult*> collect(std::chrono::steady_clock::time_point deadline);

  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::string url_;
  std::chrono::milliseconds patience_;
  std::unique_ptr<PGconn, Finish> connection_;
};

/// Host, port and database of a URL, without its secrets; for sentences to people.
struct PgPlace {
  std::string label, database;
};
/// Error: not a URL that PostgreSQL's own library takes.
[[nodiscard]] Result<PgPlace> pg_place(const std::string& url);

}  // namespace tollgate::ledger
