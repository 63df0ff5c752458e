// Calls and places for the tests of the ledger.
#pragma once
#include <doctest/doctest.h>
#include <filesystem>
#include <sqlite3.h>
#include <unistd.h>

#include "gateway/core/outcome.hpp"
#include "policies/ledger/books.hpp"

namespace tollgate::ledger {

/// A folder that is gone afterwards.
struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ledger-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path / name; }
  std::filesystem::path path;
};

inline SystemTime at(std::int64_t seconds) {
  return SystemTime(std::chrono::seconds(1'790'000'000 + seconds));
}

/// The n-th call: a UUID of its own, one attempt that was sent and has not ended.
inline Outcome begun_call(unsigned number, NanoUsd reserved = 700) {
  Outcome call;
  const std::string digits = std::to_string(number);
  call.request_id = "01890000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
  call.started_at = call.admitted_at = at(number);
  call.tenant = "acme";
  call.key_id = "acme-prod";
  call.model_asked = call.model = "gpt";
  AttemptOutcome& attempt = call.attempts.emplace_back();
  attempt.provider = "openai";
  attempt.upstream_model = "gpt-up";
  attempt.started_at = at(number);
  attempt.reserved = reserved;
  attempt.price_version = "v1";
  return call;
}

/// The same call once it has ended well.
inline Outcome ended_call(unsigned number, NanoUsd cost = 300) {
  Outcome call = begun_call(number);
  AttemptOutcome& attempt = call.attempts.front();
  attempt.status = call.status = CallStatus::ok;
  attempt.http_status = call.http_status = 200;
  attempt.ended_at = call.ended_at = at(number + 2);
  attempt.usage.input = call.usage.input = 11;
  attempt.usage.output = call.usage.output = 5;
  attempt.usage_from_provider = call.usage_from_provider = true;
  attempt.cost = call.cost = cost;
  attempt.charged = call.charged = cost;
  attempt.cost_by_kind.output = call.cost_by_kind.output = cost;
  call.provider = attempt.provider;
  call.upstream_model = attempt.upstream_model;
  call.price_version = attempt.price_version;
  return call;
}

/// Runs SQL beside the books.
inline void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

inline std::unique_ptr<Books> books_at(const std::string& path) {
  auto books = open_sqlite(path, false);
  REQUIRE(books);
  return std::move(*books);
}

/// As the ledger's writer gives them to a database.
inline Result<void> write(Books& books, const std::vector<Outcome>& calls) {
  std::vector<std::string> records(calls.size());
  std::vector<Booking> rows;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    write_booking(calls[i], records[i]);
    rows.push_back(read_booking(records[i]).value());
  }
  return books.write(rows);
}

inline std::vector<Outcome> calls_of(Books& books, const Period& period = {}) {
  std::vector<Outcome> calls;
  CHECK(books.each_call(period, [&](const Outcome& call) { calls.push_back(call); }));
  return calls;
}

inline NanoUsd charged_of(Books& books) {
  NanoUsd sum = 0;
  CHECK(books.hours({}, [&](const HourSum& hour) { sum += hour.charged; }));
  return sum;
}

}  // namespace tollgate::ledger
