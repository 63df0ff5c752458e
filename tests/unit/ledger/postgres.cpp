// What only PostgreSQL can do to the books: be stopped, hang, be shared.
#include "policies/ledger/postgres.hpp"

#include <atomic>
#include <csignal>
#include <thread>

#include "policies/ledger/ledger.hpp"
#include "postgres_server.hpp"

using namespace tollgate;
using namespace tollgate::ledger;

namespace {

bool skipped() {
  if (!PostgresServer::there()) MESSAGE("SKIPPED: no PostgreSQL server on this machine");
  return !PostgresServer::there();
}

std::unique_ptr<Ledger> open(const std::string& url, const Folder& folder) {
  config::LedgerConfig config;
  config.postgres.emplace().url.value = url;
  config.journal.dir = folder.path;
  auto ledger = Ledger::open(config, [](std::string_view, const std::string&) {});
  REQUIRE_MESSAGE(ledger, ledger.error().message);
  return std::move(*ledger);
}

void call(Ledger& ledger, unsigned from, unsigned to) {
  for (unsigned i = from; i < to; ++i) {
    REQUIRE(ledger.begin(begun_call(i)));
    ledger.record(ended_call(i));
  }
}

void check_books(const std::string& url, std::size_t calls) {
  auto books = open_postgres(url, true);
  REQUIRE(books);
  CHECK(calls_of(**books).size() == calls);
  CHECK(charged_of(**books) == static_cast<NanoUsd>(calls) * 300);
  CHECK((*books)->verify().value().empty());
}

}  // namespace

TEST_CASE("while PostgreSQL is stopped rows wait; afterwards each stands once (M28)") {
  if (skipped()) return;
  PostgresServer server;
  const std::string url = server.new_database();
  Folder folder;
  const auto ledger = open(url, folder);
  ledger->start();
  call(*ledger, 0, 700);
  server.kill();
  call(*ledger, 700, 2000);
  while (ledger->stats().write_failures == 0)
    std::this_thread::yield();
  CHECK(ledger->stats().rows_waiting > 0);
  server.start();
  ledger->stop(std::chrono::seconds(60));
  CHECK(ledger->stats().rows_waiting == 0);
  CHECK(ledger->stats().dropped == 0);
  check_books(url, 2000);
}

TEST_CASE("connections that are cut again and again lose no row and double none (M27)") {
  if (skipped()) return;
  const std::string url = postgres().new_database();
  Folder folder;
  const auto ledger = open(url, folder);
  ledger->start();
  std::atomic<bool> done{false};
  std::jthread cutter([&] {
    while (!done) {
      PostgresServer::run(url,
                          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                          "datname = current_database() AND pid <> pg_backend_pid()");
    }
  });
  call(*ledger, 0, 3000);
  while (ledger->stats().write_failures == 0)
    std::this_thread::yield();
  done = true;
  cutter.join();
  ledger->stop(std::chrono::seconds(60));
  CHECK(ledger->stats().rows_waiting == 0);
  check_books(url, 3000);
}

TEST_CASE("replicas share one ledger: every row once, sums of both, each its own journal") {
  if (skipped()) return;
  const std::string url = postgres().new_database();
  std::vector<std::jthread> replicas;
  for (unsigned replica = 0; replica < 3; ++replica) {
    replicas.emplace_back([&, replica] {
      Folder folder;
      const auto ledger = open(url, folder);
      ledger->start();
      // Neighbours overlap: what two of them know of stands once.
      call(*ledger, replica * 800, replica * 800 + 1000);
      ledger->stop(std::chrono::seconds(60));
    });
  }
  replicas.clear();
  check_books(url, 2600);
}

TEST_CASE(
    "what a killed process left unknown is charged once, and its late truth replaces it (M13)") {
  if (skipped()) return;
  const std::string url = postgres().new_database();
  Folder dead, alive;
  {
    const auto ledger = open(url, dead);
    REQUIRE(ledger->begin(begun_call(1)));
  }
  for (int round = 0; round < 2; ++round)
    CHECK(open(url, dead)->stats().recovered_unknown == (round == 0 ? 1 : 0));
  auto books = open_postgres(url, false);
  REQUIRE(books);
  CHECK(charged_of(**books) == 700);
  REQUIRE(write(**books, {ended_call(1)}));
  check_books(url, 1);
}

TEST_CASE("rows stand in the day of their admission; what PostgreSQL cannot hold is made fit") {
  if (skipped()) return;
  const std::string url = postgres().new_database();
  auto books = open_postgres(url, false);
  REQUIRE(books);
  Outcome odd = ended_call(1);
  odd.user = std::string("a\0b", 3);
  odd.error = "\xff\xfe";
  Outcome denied;  // never admitted
  denied.request_id = "denied";
  denied.started_at = at(90'000);
  denied.status = CallStatus::denied;
  REQUIRE(write(**books, {odd, denied}));
  const auto calls = calls_of(**books);
  REQUIRE(calls.size() == 2);
  CHECK((calls[0].user == "ab" && calls[0].error == "\xef\xbf\xbd\xef\xbf\xbd"));
  CHECK(calls[1].admitted_at == SystemTime{});
  CHECK(PostgresServer::run(url,
                            "SELECT string_agg(tableoid::regclass::text, ' ' ORDER BY "
                            "booked_at) FROM calls") == "calls_20260921 calls_20260922");
}

TEST_CASE("a server that hangs does not hold the one who asks") {
  if (skipped()) return;
  PgLink link(postgres().new_database(), std::chrono::milliseconds(100));
  REQUIRE(link.connect());
  auto pid = link.ask("SELECT pg_backend_pid()");
  REQUIRE(pid);
  const auto backend = static_cast<pid_t>(pid->row(0).number_at(0));
  ::kill(backend, SIGSTOP);
  const auto answer = link.ask("SELECT 1");
  ::kill(backend, SIGCONT);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().detail == "no answer in time");
  REQUIRE(link.connect());
  CHECK(link.ask("SELECT 1"));
}

TEST_CASE(
    "a later schema, a wrong address and a wrong URL are one sentence without a secret (M24)") {
  if (skipped()) return;
  const std::string url = postgres().new_database();
  REQUIRE(open_postgres(url, false));
  PostgresServer::run(url, "UPDATE meta SET value = '99' WHERE name = 'schema'");
  const auto late = open_postgres(url, false);
  REQUIRE_FALSE(late);
  CHECK(late.error().message.find("schema 99") != std::string::npos);
  for (const std::string wrong : {"postgres://me:pencil@127.0.0.1:1/books", "nonsense pencil"}) {
    const auto refused = open_postgres(wrong, false);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("pencil") == std::string::npos);
    CHECK(refused.error().message.find('\n') == std::string::npos);
  }
  CHECK(pg_place("postgres://me:pencil@db:5433/books")->label == "postgres://db:5433/books");
}
