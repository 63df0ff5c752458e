#include "policies/ledger/packed_row.hpp"

#include "gateway/wire/json_shape.hpp"
#include "gateway/wire/json_walk.hpp"
#include "gateway/wire/json_writer.hpp"

namespace tollgate::ledger {

PackedRow& PackedRow::escaped_text(std::string_view value) {
  escaped(value);
  return end();
}

/// With its quotes.
void PackedRow::escaped(std::string_view text) {
  close();
  wire::append_quoted(out_, text);
  open();
}

PackedRow& PackedRow::some_tags(const HeaderList& tags) {
  room_for(2);
  put('{');
  for (bool first = true; const auto& [name, value] : tags) {
    if (!std::exchange(first, false)) put(',');
    escaped(name);
    put(':');
    escaped(value);
  }
  put('}');
  return end();
}

PackedRow& PackedRow::costs(const CostByKind& cost) {
  room_for(2);
  put('{');
  for (bool first = true; const CostKind& kind : cost_kinds) {
    const NanoUsd nano = cost.*kind.member;
    if (nano == 0) continue;
    room_for(kind.name.size());
    if (!std::exchange(first, false)) put(',');
    put('"');
    copy(kind.name);
    put('"');
    put(':');
    digits(nano);
  }
  put('}');
  return end();
}

PackedColumns::PackedColumns(std::string_view packed) {
  for (wire::JsonElements elements(packed); elements.next();)
    values_.push_back(elements.value());
}

std::string PackedColumns::text_at(int column) const {
  const std::string_view value = at(column);
  if (!value.starts_with('"')) return std::string(value);
  return wire::json_string(value).value_or("");
}

std::optional<std::int64_t> PackedColumns::maybe_at(int column) const {
  return wire::json_int(at(column));
}

}  // namespace tollgate::ledger
