#include "policies/ledger/replay.hpp"

#include <map>
#include <set>

#include "policies/ledger/booking.hpp"
#include "policies/ledger/record.hpp"

namespace tollgate::ledger {

std::vector<std::string> unwritten(const Journal& journal) {
  std::map<std::string, Outcome> begun;
  std::set<std::string, std::less<>> ended;
  std::vector<std::string> rows;
  for (Journal::Entry& entry : journal.everything()) {
    if (auto call = read_outcome(RecordKind::intent, entry.bytes)) {
      std::string id = call->request_id;
      begun[std::move(id)] = std::move(*call);  // the last attempt's knows those before it
      continue;
    }
    if (const auto call = read_outcome(RecordKind::whole, entry.bytes)) {
      entry.bytes.clear();
      write_booking(*call, entry.bytes);
    }
    const auto booking = read_booking(entry.bytes);
    if (!booking) continue;
    ended.emplace(booking->request_id);
    if (!entry.drained) rows.push_back(std::move(entry.bytes));
  }
  for (auto& [id, call] : begun) {
    if (ended.contains(id)) continue;
    make_unknown(call);
    write_booking(call, rows.emplace_back());
  }
  return rows;
}

}  // namespace tollgate::ledger
