#include "policies/ledger/rows.hpp"
#include "postgres_server.hpp"

using namespace tollgate;
using namespace tollgate::ledger;

TEST_CASE(
    "a call comes back from the books as it was written, of one attempt or of several (M29)") {
  const Place place;
  const auto books = place.books();
  Outcome one = ended_call(1);
  one.tags = {{"team", "r\"ed"}, {"x", "1"}};
  one.user = "ann";
  one.ttft = std::chrono::microseconds(1234);
  Outcome two = ended_call(2, 900);
  two.attempts.insert(two.attempts.begin(), begun_call(2).attempts.front());
  two.attempts[0].status = CallStatus::error;
  two.attempts[0].http_status = 503;
  two.attempts[0].error = "upstream_error";
  two.attempts[0].charged = 40;
  two.charged = 940;
  two.cost.reset();
  REQUIRE(write(*books, {one, two}));
  const auto calls = calls_of(*books);
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].tags == one.tags);
  CHECK(calls[0].user == "ann");
  CHECK(calls[0].ttft == one.ttft);
  CHECK(calls[0].usage == one.usage);
  CHECK(calls[0].cost_by_kind == one.cost_by_kind);
  REQUIRE(calls[0].attempts.size() == 1);
  CHECK(calls[0].attempts[0].ended_at == one.attempts[0].ended_at);
  CHECK(calls[0].attempts[0].cost == one.attempts[0].cost);
  CHECK_FALSE(calls[1].cost);
  REQUIRE(calls[1].attempts.size() == 2);
  CHECK(calls[1].attempts[0].http_status == 503);
  CHECK(calls[1].attempts[0].error == "upstream_error");
  CHECK(calls[1].attempts[0].charged == 40);
  CHECK(calls[1].attempts[1].cost == 900);
}

TEST_CASE("the one attempt of a call that failed keeps its own provider and amounts (M29)") {
  const Place place;
  const auto books = place.books();
  Outcome call = ended_call(1);
  call.status = call.attempts[0].status = CallStatus::error;
  call.provider.clear();  // nobody answered
  call.upstream_model.clear();
  call.usage = {};
  REQUIRE(write(*books, {call}));
  const auto calls = calls_of(*books);
  REQUIRE((calls.size() == 1 && calls[0].attempts.size() == 1));
  CHECK(calls[0].provider.empty());
  CHECK(calls[0].attempts[0].provider == "openai");
  CHECK(calls[0].attempts[0].upstream_model == "gpt-up");
  CHECK(calls[0].attempts[0].usage.input == 11);
}

TEST_CASE("what is written twice stands once, in rows and in sums (M27)") {
  const Place place;
  const auto books = place.books();
  const std::vector<Outcome> calls{ended_call(1), ended_call(2), ended_call(2)};
  REQUIRE(write(*books, calls));
  REQUIRE(write(*books, calls));
  CHECK(calls_of(*books).size() == 2);
  CHECK(charged_of(*books) == 600);
  CHECK(books->verify().value().empty());
}

TEST_CASE("a true row replaces an unknown one and nothing else does (M13)") {
  const Place place;
  const auto books = place.books();
  Outcome unknown = begun_call(1);
  unknown.attempts.push_back(unknown.attempts.front());
  unknown.attempts.push_back(unknown.attempts.front());
  unknown.attempts[2].charged = unknown.charged = 700;
  REQUIRE(write(*books, {unknown}));
  // The truth ended under another model, after fewer attempts.
  Outcome truth = ended_call(1, 300);
  truth.model = "fallback";
  truth.attempts.push_back(truth.attempts.front());
  truth.attempts[0].charged = 0;
  REQUIRE(write(*books, {truth}));
  auto calls = calls_of(*books);
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].status == CallStatus::ok);
  CHECK(calls[0].attempts.size() == 2);
  CHECK(charged_of(*books) == 300);
  CHECK(books->verify().value().empty());

  Outcome later = ended_call(1, 5);
  later.status = CallStatus::error;
  REQUIRE(write(*books, {later, unknown}));
  calls = calls_of(*books);
  CHECK((calls[0].status == CallStatus::ok && calls[0].charged == 300));
  CHECK(charged_of(*books) == 300);
}

TEST_CASE("what was sent under the model that a call has left stays that model's (M14)") {
  const Place place;
  const auto books = place.books();
  Outcome call = ended_call(1, 100);
  call.model = "fallback";
  call.attempts.insert(call.attempts.begin(), begun_call(1).attempts.front());
  call.attempts[0].model = "gpt";
  call.attempts[0].charged = 40;
  call.charged = 140;
  // Nothing was begun under the fallback: its model's row tells of another's attempt.
  Outcome only = ended_call(2, 5);
  only.model = "fallback";
  only.attempts[0].model = "gpt";
  REQUIRE(write(*books, {call, only}));
  std::map<std::string, NanoUsd> by_model;
  REQUIRE(books->hours({}, [&](const HourSum& sum) { by_model[sum.model] += sum.charged; }));
  CHECK(by_model == std::map<std::string, NanoUsd>{{"gpt", 45}, {"fallback", 100}});
  CHECK(calls_of(*books)[0].attempts.size() == 2);
  CHECK(books->verify().value().empty());
}

TEST_CASE("hour sums are the rows' by the hour of admission, and outlive them") {
  const Place place;
  const auto books = place.books();
  std::vector<Outcome> calls;
  for (unsigned i = 0; i < 300; ++i) {
    calls.push_back(ended_call(i, i));
    calls.back().started_at = calls.back().admitted_at = at(std::int64_t{i} * 1200);
  }
  REQUIRE(write(*books, calls));
  std::map<SystemTime, NanoUsd> rows, sums;
  for (const Outcome& call : calls_of(*books))
    rows[std::chrono::floor<std::chrono::hours>(call.admitted_at)] += call.charged;
  REQUIRE(books->hours({}, [&](const HourSum& hour) { sums[hour.hour] += hour.charged; }));
  CHECK((rows == sums && sums.size() > 99));

  const SystemTime midnight = std::chrono::ceil<std::chrono::days>(at(90'000));
  while (books->forget(midnight).value()) {
  }
  const auto kept = calls_of(*books);
  CHECK(kept.size() ==
        static_cast<std::size_t>(std::ranges::count_if(
            calls, [&](const Outcome& call) { return call.started_at >= midnight; })));
  CHECK((kept.size() > 100 && kept.size() < 250));
  CHECK(charged_of(*books) == 300 * 299 / 2);
  CHECK(books->verify().value().empty());
}

TEST_CASE("verify finds a doctored sum, row and attempt, in the first hour too (M30)") {
  const Place place;
  const std::string calls = place.calls_table();
  for (const std::string& doctored :
       {std::string("UPDATE totals SET charged_nano_usd = charged_nano_usd + 1"), std::string(),
        std::string("DELETE FROM totals"), "DELETE FROM " + calls,
        std::string("UPDATE attempts SET charged_nano_usd = 7 WHERE attempt = 1"),
        std::string("DELETE FROM attempts")}) {
    CAPTURE(doctored);
    const auto books = place.books();
    for (const std::string& table : {calls, std::string("attempts"), std::string("totals")})
      place.run("DELETE FROM " + table);
    Outcome call = ended_call(1);
    call.attempts.push_back(call.attempts.front());
    call.attempts[0].charged = 0;
    REQUIRE(write(*books, {call}));
    CHECK(books->verify().value().empty());
    doctored.empty() ? place.doctor_charges() : place.run(doctored);
    CHECK_FALSE(books->verify().value().empty());
  }
}

TEST_CASE("a period holds its first instant and not its last, oldest first") {
  const Place place;
  const auto books = place.books();
  REQUIRE(write(*books, {ended_call(3), ended_call(1), ended_call(2)}));
  const auto calls = calls_of(*books, {.from = at(1), .to = at(3)});
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].request_id == ended_call(1).request_id);
  CHECK(calls[1].request_id == ended_call(2).request_id);
}

TEST_CASE("a database of the schema before is brought to this one, each figure kept (M24)") {
  Folder folder;
  const std::string path = folder.file("t.db");
  Outcome call = ended_call(1, 300);
  call.user = "a \"quoted\" \xC3\xA9";
  Outcome unpriced = ended_call(2, 0);
  unpriced.cost.reset();
  REQUIRE(write(*books_at(path), {call, unpriced}));
  std::string old_calls = "CREATE TABLE old (" + std::string(call_columns) +
                          ", PRIMARY KEY (request_id)) WITHOUT ROWID;"
                          "INSERT INTO old SELECT * FROM calls; DROP VIEW call_rows;"
                          "DROP VIEW attempt_rows; DROP VIEW spend_by_hour; DROP VIEW calls;"
                          "DROP TABLE call_packs; ALTER TABLE old RENAME TO calls;"
                          "CREATE INDEX calls_by_time ON calls (started_at);";
  for (const char* view : {"call_rows", "attempt_rows", "spend_by_hour"})
    old_calls += "CREATE VIEW " + std::string(view) + " AS SELECT 1;";
  run_sql(path, old_calls + "PRAGMA user_version = 1");
  CHECK(open_sqlite(path, true).error().message.contains("start this build once"));
  const auto books = books_at(path);
  const auto calls = calls_of(*books);
  REQUIRE(calls.size() == 2);
  CHECK((calls[0].charged == 300 && calls[0].user == call.user && calls[0].cost == call.cost));
  CHECK_FALSE(calls[1].cost);
  CHECK(calls[0].attempts.size() == 1);
  CHECK(books->verify().value().empty());
  CHECK(open_sqlite(path, true));
}

TEST_CASE("a database of a row for each call becomes one of packs, each call kept (M24)") {
  Folder folder;
  const std::string path = folder.file("t.db");
  Outcome near = ended_call(1, 40);
  near.request_id.back() = 'f';  // in one slot with the first
  REQUIRE(write(*books_at(path), {ended_call(1, 300), near, ended_call(2, 5)}));
  run_sql(path,
          "DROP VIEW call_rows; DROP VIEW attempt_rows; DROP VIEW spend_by_hour;"
          "CREATE TABLE call_records (booked_at BIGINT NOT NULL, request_id TEXT NOT NULL,"
          "row TEXT NOT NULL, PRIMARY KEY (booked_at, request_id)) WITHOUT ROWID;"
          "INSERT INTO call_records SELECT value ->> 1, value ->> 0, value FROM call_packs, "
          "json_each(packed); DROP VIEW calls; DROP TABLE call_packs;"
          "CREATE VIEW calls AS SELECT 1; CREATE VIEW call_rows AS SELECT 1;"
          "CREATE VIEW attempt_rows AS SELECT 1; CREATE VIEW spend_by_hour AS SELECT 1;"
          "PRAGMA user_version = 2");
  const auto books = books_at(path);
  REQUIRE(write(*books, {ended_call(1, 300), near}));  // these stand there
  const auto calls = calls_of(*books);
  REQUIRE(calls.size() == 3);
  CHECK((calls[0].charged == 300 && calls[1].charged == 40 && calls[2].charged == 5));
  CHECK(charged_of(*books) == 345);
  CHECK(books->verify().value().empty());
}

TEST_CASE("a database of a later schema is refused, in one sentence (M24)") {
  Folder folder;
  const std::string path = folder.file("t.db");
  (void)books_at(path);
  run_sql(path, "PRAGMA user_version = 99");
  for (const bool read_only : {false, true}) {
    const auto refused = open_sqlite(path, read_only);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("schema 99") != std::string::npos);
  }
  CHECK_FALSE(open_sqlite(folder.file("none.db"), true));
  CHECK_FALSE(std::filesystem::exists(folder.file("none.db")));
}
