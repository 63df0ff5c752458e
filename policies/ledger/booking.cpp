#include "policies/ledger/booking.hpp"

#include "policies/ledger/archive.hpp"
#include "policies/ledger/record.hpp"
#include "policies/ledger/rows.hpp"

namespace tollgate::ledger {
namespace {

/// The attempts' rows one after another, each with its length before it.
void write_attempts(WriteArchive& archive, const Outcome& call, bool one_row) {
  const std::size_t rows = one_row ? 0 : call.attempts.size();
  archive(rows);
  if (rows == 0) return;
  std::string packed;
  for (std::size_t number = 1; number <= rows; ++number) {
    packed.clear();
    pack_attempt(call, number, packed);
    archive(packed);
  }
}

}  // namespace

void write_booking(const Outcome& call, std::string& out) {
  const bool one_row = is_one_row(call);
  {
    WriteArchive archive(out);
    archive(RecordKind::rows);
    archive(booked_at(call));
    archive(call.request_id);
    archive(call.tenant);
    archive(call.key_id);
    archive(call.model);
    archive(call.status);
    archive(call.count);
    archive(call.charged);
    write_attempts(archive, call, one_row);
  }
  pack_call(call, one_row, out);  // up to the end
}

std::optional<Booking> read_booking(std::string_view bytes) {
  ReadArchive archive(bytes);
  RecordKind kind{};
  archive(kind);
  if (kind != RecordKind::rows) return std::nullopt;
  Booking booking;
  SystemTime booked{};
  archive(booked);
  booking.booked_at = micros_of(booked);
  archive(booking.request_id);
  archive(booking.tenant);
  archive(booking.key_id);
  archive(booking.model);
  archive(booking.status);
  archive(booking.count);
  archive(booking.charged);
  std::size_t attempts = 0;
  archive(attempts);
  if (attempts > bytes.size()) return std::nullopt;
  booking.attempts.resize(attempts);
  for (std::string_view& row : booking.attempts)
    archive(row);
  booking.row = archive.rest();
  if (!archive.good() || !booking.row.ends_with(']')) return std::nullopt;
  return booking;
}

Outcome call_of(const Booking& booking) {
  bool others = false;
  Outcome call = call_at(PackedColumns(booking.row), others);
  for (const std::string_view row : booking.attempts)
    call.attempts.push_back(attempt_at(PackedColumns(row)));
  return call;
}

}  // namespace tollgate::ledger
