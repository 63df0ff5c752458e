#include <set>
#include <signal.h>
#include <sys/wait.h>
#include <thread>

#include "calls.hpp"
#include "policies/ledger/journal.hpp"
#include "policies/ledger/ledger.hpp"
#include "policies/ledger/replay.hpp"

using namespace tollgate;
using namespace tollgate::ledger;

namespace {

config::LedgerConfig config_in(const Folder& folder) {
  config::LedgerConfig config;
  config.sqlite = config::SqliteConfig{folder.file("t.db")};
  return config;
}

std::unique_ptr<Ledger> open(const config::LedgerConfig& config) {
  auto ledger = Ledger::open(config, [](std::string_view, const std::string&) {});
  REQUIRE(ledger);
  return std::move(*ledger);
}

constexpr unsigned threads = 3, calls_each = 1'000'000;

/// Calls that begin and end until somebody kills this process. Tells each begun call's number.
[[noreturn]] void call_until_killed(const config::LedgerConfig& config, int told) {
  auto ledger = Ledger::open(config, [](std::string_view, const std::string&) {});
  if (!ledger) ::_exit(1);
  (*ledger)->start();
  std::vector<std::jthread> workers;
  for (unsigned t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      for (unsigned i = 0; i < calls_each; ++i) {
        const unsigned number = t * calls_each + i;
        if (!(*ledger)->begin(begun_call(number))) ::_exit(2);
        if (::write(told, &number, sizeof number) != sizeof number) ::_exit(3);
        if (number % 7 != 0) (*ledger)->record(ended_call(number));
      }
    });
  }
  for (;;)
    ::pause();
}

}  // namespace

TEST_CASE(
    "after kill -9 every call that was begun has one row, and a second replay adds none (M27)") {
  Folder folder;
  const auto config = config_in(folder);
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = ::fork();
  if (child == 0) call_until_killed(config, pipe[1]);
  ::close(pipe[1]);
  std::set<unsigned> begun;
  unsigned number = 0;
  while (::read(pipe[0], &number, sizeof number) == sizeof number) {
    begun.insert(number);
    if (begun.size() == 20'000) ::kill(child, SIGKILL);  // what it told until then is read too
  }
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE((WIFSIGNALED(status) && begun.size() >= 20'000));

  NanoUsd charged = 0;
  for (int round = 0; round < 2; ++round) {
    auto ledger = open(config);
    CHECK((ledger->stats().recovered_unknown > 0) == (round == 0));
    ledger.reset();
    const auto books = books_at(folder.file("t.db"));
    std::map<std::string, Outcome> rows;
    for (const Outcome& call : calls_of(*books))
      CHECK(rows.emplace(call.request_id, call).second);
    std::size_t wrong = 0;
    for (const unsigned one : begun) {
      const auto found = rows.find(begun_call(one).request_id);
      if (found == rows.end()) {
        ++wrong;
        continue;
      }
      const bool ended = found->second.status == CallStatus::ok;
      // A multiple of 7 never ended; others may have died between their intent and their row.
      wrong += (one % 7 == 0 && ended) || found->second.charged != (ended ? 300 : 700) ? 1U : 0U;
    }
    CHECK(wrong == 0);
    CHECK(books->verify().value().empty());
    if (round == 1) CHECK(charged_of(*books) == charged);
    charged = charged_of(*books);
  }
}

TEST_CASE("rows in the database whose drain the journal did not note are not booked twice (M27)") {
  Folder folder;
  const auto config = config_in(folder);
  {
    const auto ledger = open(config);
    REQUIRE(ledger->begin(begun_call(1)));
    ledger->record(ended_call(1));
    // The crash between the database's commit and the note in the journal.
    REQUIRE(write(*books_at(folder.file("t.db")), {ended_call(1)}));
  }
  (void)open(config);
  const auto books = books_at(folder.file("t.db"));
  CHECK(calls_of(*books).size() == 1);
  CHECK(charged_of(*books) == 300);
}

TEST_CASE("while the database is locked rows wait; afterwards each stands once (M28)") {
  Folder folder;
  const auto config = config_in(folder);
  const auto ledger = open(config);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(folder.file("t.db").c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  ledger->start();
  for (unsigned i = 0; i < 1000; ++i) {
    REQUIRE(ledger->begin(begun_call(i)));
    ledger->record(ended_call(i));
  }
  while (ledger->stats().write_failures == 0)
    std::this_thread::yield();
  CHECK(ledger->stats().rows_waiting == 1000);
  CHECK(ledger->stats().rows_written == 0);
  REQUIRE(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(other);
  ledger->stop(std::chrono::seconds(60));
  CHECK(ledger->stats().rows_waiting == 0);
  CHECK(ledger->stats().dropped == 0);
  const auto books = books_at(folder.file("t.db"));
  CHECK(calls_of(*books).size() == 1000);
  CHECK(charged_of(*books) == 300'000);
}

TEST_CASE("a stop leaves what is still under way to the next start") {
  Folder folder;
  const auto config = config_in(folder);
  {
    const auto ledger = open(config);
    ledger->start();
    REQUIRE(ledger->begin(begun_call(1)));
    REQUIRE(ledger->begin(begun_call(2)));
    ledger->record(ended_call(2));
    ledger->stop(std::chrono::seconds(60));
    CHECK(ledger->stats().intents_open == 1);
  }
  const auto ledger = open(config);
  CHECK(ledger->stats().recovered_unknown == 1);
  NanoUsd charged = 0;
  REQUIRE(ledger->hours({}, [&](const HourSum& sum) { charged += sum.charged; }));
  CHECK(charged == 1000);
}

TEST_CASE(
    "another ledger's journal is refused while it holds rows, and taken when it has none (M26)") {
  Folder folder;
  const auto config = config_in(folder);
  {
    const auto ledger = open(config);
    ledger->record(ended_call(1));
  }
  std::filesystem::rename(folder.file("t.db"), folder.file("old.db"));
  const auto refused = Ledger::open(config, [](std::string_view, const std::string&) {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("another ledger") != std::string::npos);
  std::filesystem::remove(folder.file("t.db"));
  std::filesystem::rename(folder.file("old.db"), folder.file("t.db"));
  (void)open(config);
  std::filesystem::rename(folder.file("t.db"), folder.file("old.db"));
  (void)open(config);
  CHECK(calls_of(*books_at(folder.file("t.db"))).empty());
}
