// PackedRow: the columns of a call as one JSON array, which is how SQLite keeps them: a column of
// its own costs as much as all of this array. The view `calls` takes it apart again, so whoever
// reads sees columns. Written by the ledger's writer; pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/wire/json_writer.hpp"

namespace tollgate::ledger {

/// Takes values in the order of the columns, as every `Row` of rows.hpp does.
class PackedRow {
 public:
  explicit PackedRow(std::string& out) : json_(out) { json_.begin_array(); }

  PackedRow& text(std::string_view value) { return put(value); }
  PackedRow& number(std::int64_t value) { return put(value); }
  PackedRow& number(std::uint64_t value) { return put(value); }
  PackedRow& maybe(std::optional<std::int64_t> value) {
    if (value) return put(*value);
    json_.null();
    return *this;
  }
  void end() { json_.end_array(); }

 private:
  template <class T>
  PackedRow& put(const T& value) {
    json_.value(value);
    return *this;
  }
  wire::JsonWriter json_;
};

}  // namespace tollgate::ledger
