// A real PostgreSQL for tests: in a folder of its own, reached by its socket there, gone with its
// object (and with the test, should that be killed).
#pragma once
#include <doctest/doctest.h>
#include <string>
#include <sys/types.h>

#include "calls.hpp"

namespace tollgate::ledger {

class PostgresServer {
 public:
  /// Whether this machine has one; tests say aloud that they skip else.
  [[nodiscard]] static bool there();

  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void start();
  /// As a crash would: no word to anybody.
  void kill();
  /// A fresh database: its URL.
  [[nodiscard]] std::string new_database();
  /// Runs SQL in that database, as anybody could.
  static std::string run(const std::string& url, const std::string& sql);

 private:
  [[nodiscard]] std::string url(const std::string& database) const;

  Folder folder_;
  pid_t pid_ = -1;
  int log_ = -1;
  unsigned made_ = 0;
};

/// One for all tests of this program.
[[nodiscard]] PostgresServer& postgres();

/// An empty place for books of either engine; the test case runs once with each.
class Place {
 public:
  Place();
  [[nodiscard]] std::unique_ptr<Books> books(bool read_only = false) const;
  void run(const std::string& sql) const;
  /// The table whose rows are calls.
  [[nodiscard]] std::string calls_table() const { return url_.empty() ? "call_packs" : "calls"; }
  /// Takes a nano-dollar from what every call was charged.
  void doctor_charges() const;

 private:
  Folder folder_;
  std::string url_;  // empty: SQLite
};

}  // namespace tollgate::ledger
