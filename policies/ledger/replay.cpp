#include "policies/ledger/replay.hpp"

#include <map>
#include <set>

namespace tollgate::ledger {

std::vector<Outcome> unwritten(const Journal& journal) {
  std::map<std::string, Outcome> begun;
  std::set<std::string> ended;
  std::vector<Outcome> rows;
  for (const Journal::Entry& entry : journal.everything()) {
    auto record = read_record(entry.bytes);
    if (!record) continue;
    Outcome& call = record->outcome;
    if (record->kind == RecordKind::intent) {
      begun[call.request_id] = std::move(call);  // the last attempt's knows those before it
      continue;
    }
    ended.insert(call.request_id);
    if (!entry.drained) rows.push_back(std::move(call));
  }
  for (auto& [id, call] : begun) {
    if (ended.contains(id)) continue;
    make_unknown(call);
    rows.push_back(std::move(call));
  }
  return rows;
}

}  // namespace tollgate::ledger
