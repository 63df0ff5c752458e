#include "policies/ledger/sqlite_packs.hpp"

#include <algorithm>
#include <tuple>

#include "gateway/wire/json_walk.hpp"
#include "policies/ledger/packed_row.hpp"
#include "policies/ledger/row_text.hpp"

namespace tollgate::ledger {
namespace {

/// Beyond it a pack is whole: who looks for one call reads little more.
constexpr std::size_t pack_bytes = 32 * 1024;

constexpr int id_column = 0, booked_column = 1, status_column = 16;

}  // namespace

/// A pack that is being changed, or that is new.
struct CallPacks::Pack {
  std::int64_t id = 0;  // 0: new
  std::vector<std::string> rows;
  bool changed = false;

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const std::string& row : rows)
      (out += out.empty() ? '[' : ',') += row;
    return out + ']';
  }
};

Result<void> CallPacks::prepare(sqlite3* database) {
  database_ = database;
  const std::pair<Statement*, std::string_view> all[] = {
      {&insert_, "INSERT OR IGNORE INTO call_packs VALUES (?, ?)"},
      {&update_, "UPDATE call_packs SET packed = ?2 WHERE id = ?1"},
      {&find_, "SELECT id, packed FROM call_packs WHERE id >= ? AND id < ?"}};
  for (const auto& [statement, sql] : all) {
    *statement = Statement(database_, sql);
    if (!statement->good()) return sqlite_error(database_);
  }
  return {};
}

Result<void> CallPacks::by_slot(std::span<const Booking> calls,
                                const std::function<Result<void>(Calls)>& each) {
  const auto slot = [](const Booking* call) { return slot_of(call->booked_at); };
  order_.clear();
  for (const Booking& call : calls)
    order_.push_back(&call);
  if (!std::ranges::is_sorted(order_, {}, slot)) {
    // Those of one slot stay as they came: they lie one behind another.
    std::ranges::sort(order_, {}, [&](const Booking* call) { return std::pair(slot(call), call); });
  }
  for (auto from = order_.begin(); from != order_.end();) {
    const auto to = std::ranges::upper_bound(from, order_.end(), slot(*from), {}, slot);
    auto done = each(Calls(from, to));
    if (!done) return done;
    from = to;
  }
  return {};
}

Result<void> CallPacks::append(std::span<const Booking> calls) {
  return by_slot(calls, [this](Calls slot) { return append_slot(slot); });
}

Result<void> CallPacks::append_slot(Calls calls) {
  text_.clear();
  for (const Booking* const call : calls) {
    (text_ += text_.empty() ? '[' : ',') += call->row;
    if (text_.size() < pack_bytes && call != calls.back()) continue;
    auto done = insert(call->booked_at, text_ += ']');
    if (!done) return done;
    text_.clear();
  }
  return {};
}

/// The id is a place within the slot that no pack has.
Result<void> CallPacks::insert(std::int64_t booked_at, std::string_view pack) {
  const std::int64_t first = slot_of(booked_at) * slot_micros;
  for (std::int64_t tried = 0; tried < slot_micros; ++tried) {
    insert_.number(first + (booked_at - first + tried) % slot_micros).kept_text(pack);
    const int step = insert_.step();
    insert_.reset();
    if (step != SQLITE_DONE) return sqlite_error(database_);
    if (sqlite3_changes(database_) == 1) return {};
  }
  return fail(ErrorKind::internal, "the ledger's database holds too much of one moment");
}

Result<std::vector<CallPacks::Change>> CallPacks::merge(std::span<const Booking> calls) {
  std::vector<Change> changes;
  auto done = by_slot(calls, [&](Calls slot) { return merge_slot(slot, changes); });
  if (!done) return std::unexpected(done.error());
  return changes;
}

Result<void> CallPacks::merge_slot(Calls calls, std::vector<Change>& changes) {
  auto packs = packs_of(slot_of(calls.front()->booked_at));
  if (!packs) return std::unexpected(packs.error());
  std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> places;
  for (std::size_t pack = 0; pack < packs->size(); ++pack) {
    const auto& rows = (*packs)[pack].rows;
    for (std::size_t row = 0; row < rows.size(); ++row)
      places.try_emplace(PackedColumns(rows[row]).text_at(id_column), pack, row);
  }
  packs->emplace_back();
  for (const Booking* const call : calls) {
    Pack& fresh = packs->back();
    const auto [place, is_new] =
        places.try_emplace(std::string(call->request_id), packs->size() - 1, fresh.rows.size());
    if (is_new) {
      fresh.rows.emplace_back(call->row);
      changes.push_back({call, {}});
      continue;
    }
    Pack& pack = (*packs)[place->second.first];
    std::string& row = pack.rows[place->second.second];
    const PackedColumns there(row);
    if (parse_status(there.text_at(status_column)) != CallStatus::unknown ||
        call->status == CallStatus::unknown)
      continue;
    changes.push_back({call, std::exchange(row, std::string(call->row))});
    pack.changed = true;
  }
  auto kept = keep(*packs);
  return kept && !packs->back().rows.empty()
             ? insert(calls.front()->booked_at, packs->back().text())
             : kept;
}

Result<std::vector<CallPacks::Pack>> CallPacks::packs_of(std::int64_t slot) {
  std::vector<Pack> packs;
  find_.reset();
  find_.number(slot * slot_micros).number((slot + 1) * slot_micros);
  int step = 0;
  while ((step = find_.step()) == SQLITE_ROW) {
    Pack& pack = packs.emplace_back();
    pack.id = find_.number_at(0);
    const std::string text = find_.text_at(1);
    for (wire::JsonElements rows(text); rows.next();)
      pack.rows.emplace_back(rows.value());
  }
  find_.reset();
  if (step != SQLITE_DONE) return sqlite_error(database_);
  return packs;
}

Result<void> CallPacks::keep(const std::vector<Pack>& packs) {
  for (const Pack& pack : packs) {
    if (!pack.changed || pack.id == 0) continue;
    update_.number(pack.id).text(pack.text());
    const int step = update_.step();
    update_.reset();
    if (step != SQLITE_DONE) return sqlite_error(database_);
  }
  return {};
}

Result<void> each_packed_call(sqlite3* database, std::int64_t from,
                              const std::function<void(std::string_view row)>& each) {
  Statement find(database, "SELECT id, packed FROM call_packs WHERE id >= ? ORDER BY id");
  if (!find.good()) return sqlite_error(database);
  find.number(slot_of(from) * slot_micros);
  using Row = std::tuple<std::int64_t, std::string, std::string>;  // booked_at, request id, row
  std::vector<Row> rows;
  std::int64_t slot = 0;
  const auto give = [&] {
    std::ranges::sort(rows);
    for (const Row& row : rows)
      each(std::get<2>(row));
    rows.clear();
  };
  int step = 0;
  while ((step = find.step()) == SQLITE_ROW) {
    if (slot_of(find.number_at(0)) != slot) give();
    slot = slot_of(find.number_at(0));
    const std::string text = find.text_at(1);
    for (wire::JsonElements packed(text); packed.next();) {
      const PackedColumns row(packed.value());
      rows.emplace_back(row.number_at(booked_column), row.text_at(id_column), packed.value());
    }
  }
  if (step != SQLITE_DONE) return sqlite_error(database);
  give();
  return {};
}

}  // namespace tollgate::ledger
