#include "policies/ledger/reader.hpp"

#include <filesystem>

#include "policies/ledger/replay.hpp"

namespace tollgate::ledger {

Result<Reader> Reader::open(const config::LedgerConfig& config) {
  const Places places = places_of(config);
  auto books = open_books(config, true);
  if (!books) return std::unexpected(books.error());
  Reader reader;
  reader.books_ = std::move(*books);
  reader.read_journal(places.journal);
  return reader;
}

void Reader::read_journal(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return;
  auto journal = Journal::open({.path = path});
  if (!journal) {
    note_ = journal.error().message + "; calls of the last moments may be missing";
    return;
  }
  auto id = books_->id();
  if (!id || (*journal)->ledger_id() != *id) return;
  for (const std::string& bytes : unwritten(**journal)) {
    const auto booking = read_booking(bytes);
    if (booking) waiting_.insert_or_assign(std::string(booking->request_id), call_of(*booking));
  }
  if (waiting_.empty()) return;
  note_ = std::to_string(waiting_.size()) +
          " calls wait in the journal and are counted; the next start writes them";
}

Result<void> Reader::each_call(const Period& period,
                               const std::function<void(const Outcome&)>& each) {
  auto waiting = waiting_;
  auto done = books_->each_call(period, [&](const Outcome& call) {
    const auto found = waiting.find(call.request_id);
    if (found == waiting.end()) return each(call);
    const bool truer =
        call.status == CallStatus::unknown && found->second.status != CallStatus::unknown;
    each(truer ? found->second : call);
    waiting.erase(found);
  });
  if (!done) return done;
  for (const auto& [id, call] : waiting) {
    if (call.started_at >= period.from && call.started_at < period.to) each(call);
  }
  return {};
}

}  // namespace tollgate::ledger
