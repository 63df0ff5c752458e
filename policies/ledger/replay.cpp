#include "policies/ledger/replay.hpp"

#include <map>
#include <set>

#include "policies/ledger/booking.hpp"
#include "policies/ledger/record.hpp"

namespace tollgate::ledger {

Found found_in(const Journal& journal) {
  std::map<std::string, Outcome> begun;
  std::set<std::string, std::less<>> ended;
  Found found;
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
    if (!entry.drained) found.rows.push_back(std::move(entry.bytes));
  }
  for (auto& [id, call] : begun) {
    const bool has_end = call.status != CallStatus::unknown;
    if (!ended.contains(id)) {
      if (!has_end) make_unknown(call);
      write_booking(call, found.rows.emplace_back());
    } else if (!has_end) {
      continue;  // of a store in the process, which died with it
    }
    found.unsettled.push_back(std::move(call));
  }
  return found;
}

std::vector<std::string> unwritten(const Journal& journal) { return found_in(journal).rows; }

}  // namespace tollgate::ledger
