#include "policies/ledger/journal.hpp"

#include <fcntl.h>
#include <fstream>
#include <map>
#include <sys/stat.h>

#include "calls.hpp"
#include "policies/ledger/replay.hpp"

using namespace tollgate;
using namespace tollgate::ledger;

namespace {

std::unique_ptr<Journal> journal_at(const std::string& path, std::uint64_t bytes = 64U << 20U) {
  auto journal = Journal::open({.path = path, .bytes_max = bytes});
  REQUIRE(journal);
  return std::move(*journal);
}

std::string record_of(RecordKind kind, const Outcome& call) {
  std::string bytes;
  kind == RecordKind::intent ? write_intent(call, bytes) : write_booking(call, bytes);
  return bytes;
}

bool intent(Journal& journal, const Outcome& call) {
  return journal.append_intent(call.request_id, record_of(RecordKind::intent, call));
}
bool rows(Journal& journal, const Outcome& call) {
  return journal.append_rows(call.request_id, record_of(RecordKind::rows, call));
}

std::vector<Outcome> calls_left(const Journal& journal) {
  std::vector<Outcome> calls;
  for (const std::string& bytes : unwritten(journal))
    calls.push_back(call_of(read_booking(bytes).value()));
  return calls;
}

/// As the ledger's writer does.
std::size_t drain(Journal& journal) {
  std::size_t count = 0;
  for (;;) {
    const std::size_t next = journal.next_rows(500, 2U << 20U).size();
    journal.drained();
    if (next == 0) return count;
    count += next;
  }
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Outcome fat_call(unsigned number, std::size_t bytes = 500'000) {
  Outcome call = ended_call(number);
  call.user.assign(bytes, 'u');
  return call;
}

}  // namespace

TEST_CASE("a journal cut at any byte gives all records before the cut (M26)") {
  Folder folder;
  const std::string path = folder.file("j"), torn = folder.file("torn");
  std::vector<std::size_t> ends;
  {
    const auto journal = journal_at(path);
    for (unsigned i = 0; i < 3; ++i)
      REQUIRE(rows(*journal, ended_call(i)));
  }
  constexpr std::size_t first = 4096 + 16, header = 8;
  std::string whole = contents(path);
  std::size_t end = first;
  for (unsigned i = 0; i < 3; ++i) {
    const std::size_t bytes = record_of(RecordKind::rows, ended_call(i)).size();
    ends.push_back(end + header + bytes);
    end += header + (bytes + 7) / 8 * 8;
  }
  whole.resize(end + 64);
  for (const bool shorter : {false, true}) {
    for (std::size_t cut = first; cut <= end; ++cut) {
      std::string left = whole;
      // A page that never reached the disk, or a file that was copied in part.
      if (shorter) left.resize(cut);
      std::fill(left.begin() + static_cast<std::ptrdiff_t>(cut), left.end(), '\0');
      std::ofstream(torn, std::ios::binary | std::ios::trunc) << left;
      const auto records = journal_at(torn)->everything();
      const auto wanted = std::ranges::count_if(ends, [&](std::size_t e) { return e <= cut; });
      if (records.size() != static_cast<std::size_t>(wanted)) {
        // A record's last bytes may be zeros themselves.
        CAPTURE(cut);
        CHECK(records.size() == static_cast<std::size_t>(wanted) + 1);
        CHECK(whole.find_first_not_of('\0', cut) >= ends[static_cast<std::size_t>(wanted)]);
      }
    }
  }
}

TEST_CASE("rows are given until they are drained, and not again after a restart") {
  Folder folder;
  {
    const auto journal = journal_at(folder.file("j"));
    for (unsigned i = 0; i < 5; ++i)
      REQUIRE(rows(*journal, ended_call(i)));
    CHECK(journal->next_rows(3, 1U << 20U).size() == 3);
    journal->rewind();
    CHECK(journal->next_rows(3, 1U << 20U).size() == 3);
    journal->drained();
    CHECK(journal->fill().rows == 2);
  }
  const auto again = journal_at(folder.file("j"));
  const auto left = calls_left(*again);
  REQUIRE(left.size() == 2);
  CHECK(left[0].request_id == ended_call(3).request_id);
}

TEST_CASE("drained chunks are used again: the file stays small") {
  Folder folder;
  const auto journal = journal_at(folder.file("j"));
  for (unsigned i = 0; i < 200; ++i) {
    REQUIRE(rows(*journal, fat_call(i)));
    CHECK(drain(*journal) == 1);
  }
  CHECK(std::filesystem::file_size(folder.file("j")) <= 4096 + 4 * Journal::chunk_bytes);
}

TEST_CASE("a full journal refuses intents before it refuses the rows of running calls (M28)") {
  Folder folder;
  const auto journal = journal_at(folder.file("j"), 16U << 20U);
  unsigned begun = 0;
  while (begun < 1000 && intent(*journal, fat_call(begun)))
    ++begun;
  REQUIRE((begun > 10 && begun < 1000));
  CHECK(rows(*journal, ended_call(0)));
  CHECK(std::filesystem::file_size(folder.file("j")) <= 4096 + (16U << 20U));
  for (unsigned i = 1; i < begun; ++i)
    (void)rows(*journal, ended_call(i));
  drain(*journal);
  CHECK(intent(*journal, fat_call(5000)));
}

TEST_CASE("an intent that outlives its chunk is moved, and is known after a crash (M27)") {
  Folder folder;
  {
    const auto journal = journal_at(folder.file("j"), 16U << 20U);
    REQUIRE(intent(*journal, begun_call(7, 1234)));
    for (unsigned i = 100; i < 200; ++i) {
      REQUIRE(rows(*journal, fat_call(i)));
      drain(*journal);
    }
    CHECK(journal->fill().intents == 1);
  }
  const auto left = calls_left(*journal_at(folder.file("j"), 16U << 20U));
  REQUIRE(left.size() == 1);
  CHECK(left[0].request_id == begun_call(7).request_id);
  CHECK(left[0].status == CallStatus::unknown);
  CHECK(left[0].charged == 1234);
}

TEST_CASE("a journal of the release before is replayed, and is ours from then on (M24)") {
  Folder folder;
  const std::string path = folder.file("t.db.journal");
  {
    const auto journal = journal_at(path);
    // Rows were an Outcome, as intents are: the kind alone differs.
    std::string whole = record_of(RecordKind::intent, ended_call(1));
    whole.front() = '\4';  // RecordKind::whole, as a varint
    REQUIRE(journal->append_rows(ended_call(1).request_id, whole));
    REQUIRE(intent(*journal, begun_call(2, 70)));
  }
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out).seekp(7).put('2');
  config::LedgerConfig config;
  config.sqlite = config::SqliteConfig{folder.file("t.db")};
  REQUIRE(Ledger::open(config, [](std::string_view, const std::string&) {}));
  const auto calls = calls_of(*books_at(folder.file("t.db")));
  REQUIRE(calls.size() == 2);
  CHECK((calls[0].status == CallStatus::ok && calls[0].charged == 300));
  CHECK((calls[1].status == CallStatus::unknown && calls[1].charged == 70));
  CHECK(contents(path).starts_with("TGJOURN3"));
}

TEST_CASE("one process at a time; mode 0600; what is no journal is left alone") {
  Folder folder;
  const std::string path = folder.file("j");
  {
    const auto journal = journal_at(path);
    const auto second = Journal::open({.path = path});
    REQUIRE_FALSE(second);
    CHECK(second.error().message.find(path) != std::string::npos);
    struct stat info{};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777U) == 0600U);
  }
  CHECK(journal_at(path)->everything().empty());
  for (const std::size_t bytes : {std::size_t{5}, std::size_t{9000}}) {
    const std::string other = folder.file("other");
    std::ofstream(other, std::ios::trunc) << std::string(bytes, 'x');
    CHECK_FALSE(Journal::open({.path = other}));
    CHECK(contents(other) == std::string(bytes, 'x'));
  }
}

TEST_CASE("a journal whose maker died before its first line is begun anew") {
  Folder folder;
  std::ofstream(folder.file("j")) << std::string(4096, '\0');
  CHECK(rows(*journal_at(folder.file("j")), ended_call(1)));
}

TEST_CASE(
    "M27: a call that ended and has no row yet has the figures of its end, and is unsettled") {
  Folder folder;
  {
    const auto journal = journal_at(folder.file("j"));
    REQUIRE(intent(*journal, begun_call(1)));
    REQUIRE(intent(*journal, ended_call(1, 300)));
    REQUIRE(intent(*journal, begun_call(2)));
    REQUIRE(intent(*journal, ended_call(3, 400)));
    REQUIRE(rows(*journal, ended_call(3, 400)));
    REQUIRE(intent(*journal, begun_call(4)));
    REQUIRE(rows(*journal, ended_call(4, 500)));  // no store outlived this one
  }
  const auto journal = journal_at(folder.file("j"));
  const Found found = found_in(*journal);
  CHECK(found.rows.size() == 4);
  std::map<std::string, std::pair<CallStatus, NanoUsd>> unsettled;
  for (const Outcome& call : found.unsettled)
    unsettled[call.request_id] = {call.status, call.charged};
  CHECK(unsettled.size() == 3);
  CHECK(unsettled[begun_call(1).request_id] == std::pair<CallStatus, NanoUsd>(CallStatus::ok, 300));
  CHECK(unsettled[begun_call(2).request_id] ==
        std::pair<CallStatus, NanoUsd>(CallStatus::unknown, 700));
  CHECK(unsettled[begun_call(3).request_id] == std::pair<CallStatus, NanoUsd>(CallStatus::ok, 400));
}

TEST_CASE("a call that waits for its settlement stays in the journal, though it has its rows") {
  Folder folder;
  const auto journal = journal_at(folder.file("j"));
  for (const bool answer_first : {true, false}) {
    REQUIRE(intent(*journal, ended_call(1)));
    journal->keep_intent(ended_call(1).request_id, false);
    if (answer_first) journal->release_intent(ended_call(1).request_id);
    CHECK(journal->fill().intents == 1);
    REQUIRE(rows(*journal, ended_call(1)));
    CHECK(journal->fill().intents == (answer_first ? 0 : 1));
  }
  for (unsigned number = 10; number < 40; ++number)
    REQUIRE(rows(*journal, fat_call(number)));
  drain(*journal);  // its chunk is free, it moved on
  REQUIRE(found_in(*journal).unsettled.size() == 1);
  journal->release_intent(ended_call(1).request_id);
  CHECK(journal->fill().intents == 0);
}
