// PackedRow: the columns of one row as a JSON array, which is how the journal and SQLite keep them:
// a column of its own costs as much as all of this array. Rendered by the worker that ends the
// call; SQLite's view `calls` takes it apart again, so whoever reads sees columns.
// PackedColumns: the same from the other side. Pure.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/http.hpp"
#include "gateway/core/money.hpp"
#include "gateway/wire/plain_text.hpp"
#include "policies/ledger/open_end.hpp"

namespace tollgate::ledger {

/// Appends to a string, which is whole once the row is gone.
class PackedRow final : OpenEnd {
 public:
  explicit PackedRow(std::string& out) : OpenEnd(out) { put('['); }
  ~PackedRow() { at_[-1] = ']'; }  // where the last comma stands
  PackedRow(const PackedRow&) = delete;
  PackedRow& operator=(const PackedRow&) = delete;

  PackedRow& text(std::string_view value) {
    room_for(value.size());
    if (value.empty()) return pair('"', '"');
    if (!wire::copy_ascii(value, at_ + 1)) return escaped_text(value);
    *at_ = at_[value.size() + 1] = '"';
    at_ += value.size() + 2;
    return end();
  }
  /// Text without a byte that JSON escapes.
  PackedRow& word(std::string_view value) {
    room_for(value.size());
    put('"');
    copy(value);
    put('"');
    return end();
  }
  PackedRow& number(std::int64_t value) {
    room_for(0);
    digits(value);
    return end();
  }
  /// A column holds no more than 63 bits.
  PackedRow& number(std::uint64_t value) {
    return number(static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX)));
  }
  PackedRow& maybe(std::optional<std::int64_t> value) {
    if (value) return number(*value);
    room_for(4);
    copy("null");
    return end();
  }
  /// `{"team":"red"}`
  PackedRow& tags(const HeaderList& tags) {
    if (!tags.empty()) return some_tags(tags);
    room_for(2);
    return pair('{', '}');
  }
  /// `{"input":12,"output":30}`: kinds that cost something, in nano-dollars.
  PackedRow& costs(const CostByKind& cost);

 private:
  void put(char c) { *at_++ = c; }
  PackedRow& pair(char first, char second) {
    put(first);
    put(second);
    return end();
  }
  void copy(std::string_view plain) { at_ = std::copy(plain.begin(), plain.end(), at_); }
  void digits(std::int64_t value) { at_ = wire::put_number(at_, value); }
  PackedRow& end() {
    put(',');
    return *this;
  }
  PackedRow& some_tags(const HeaderList& tags);
  void escaped(std::string_view text);
  PackedRow& escaped_text(std::string_view value);
};

/// A packed row by column.
class PackedColumns {
 public:
  /// Views into `packed`.
  explicit PackedColumns(std::string_view packed);
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  /// Text as it was; objects as their JSON.
  [[nodiscard]] std::string text_at(int column) const;
  [[nodiscard]] std::int64_t number_at(int column) const { return maybe_at(column).value_or(0); }
  [[nodiscard]] std::optional<std::int64_t> maybe_at(int column) const;

  /// Gives the columns to a statement, in their order; `most`: its own.
  template <class Values>
  void bind_to(Values& values, std::size_t most = SIZE_MAX) const {
    const int columns = static_cast<int>(std::min(most, values_.size()));
    for (int column = 0; column < columns; ++column) {
      const char first = at(column).empty() ? 'n' : at(column).front();
      if (first == '"' || first == '{') {
        values.text(text_at(column));
      } else {
        values.maybe(maybe_at(column));
      }
    }
  }

 private:
  [[nodiscard]] std::string_view at(int column) const {
    const auto index = static_cast<std::size_t>(column);
    return index < values_.size() ? values_[index] : std::string_view{};
  }
  std::vector<std::string_view> values_;
};

}  // namespace tollgate::ledger
