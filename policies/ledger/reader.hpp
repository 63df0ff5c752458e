// Reader: the books as the commands see them: the database, opened read-only, and what still waits
// in the journal while no gateway runs. One thread.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policies/ledger/books.hpp"

namespace tollgate::ledger {

class Reader {
 public:
  /// Error: no database there, or not readable.
  static Result<Reader> open(const config::LedgerConfig& config);

  /// Every call of the period once, the database's first (oldest first), then those that wait.
  Result<void> each_call(const Period& period, const std::function<void(const Outcome&)>& each);
  /// Differences between rows, attempts and sums; empty: all agree.
  Result<std::vector<std::string>> verify() { return books_->verify(); }
  /// Worth a line to the operator; empty: nothing.
  [[nodiscard]] const std::string& note() const { return note_; }

 private:
  void read_journal(const std::string& path);

  std::unique_ptr<Books> books_;
  std::map<std::string, Outcome> waiting_;
  std::string note_;
};

}  // namespace tollgate::ledger
