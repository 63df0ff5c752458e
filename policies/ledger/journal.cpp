#include "policies/ledger/journal.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

// The header alone: what runs it needs no library more.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tollgate::ledger {
namespace {

constexpr std::size_t page = 4096;
constexpr std::array<char, 8> magic{'T', 'G', 'J', 'O', 'U', 'R', 'N', '3'};
/// Of the release before: read, and from the first clear() on ours (M24).
constexpr std::array<char, 8> magic_before{'T', 'G', 'J', 'O', 'U', 'R', 'N', '2'};
constexpr std::size_t id_bytes = 36;
constexpr std::uint32_t grow_by = 4;  // chunks: 16 MiB

/// The file's first page.
struct FileHeader {
  std::array<char, 8> magic;
  std::uint32_t chunk_bytes;
  std::array<char, id_bytes> ledger_id;
};
/// The first bytes of a chunk; sequence 0: free.
struct ChunkHeader {
  std::uint64_t sequence;
  std::uint64_t read;  // drained up to here: what a restart need not write again
};
/// Before each record. `bytes` is written last: a record without it was never there.
struct RecordHeader {
  std::uint32_t bytes;
  std::uint32_t checksum;
};
constexpr std::uint32_t first_record = sizeof(ChunkHeader);

std::uint32_t padded(std::size_t bytes) { return static_cast<std::uint32_t>((bytes + 7) / 8 * 8); }

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

std::unexpected<Error> cannot(const std::string& what, const std::string& path) {
  return fail(ErrorKind::internal, "journal " + path + ": " + what);
}

/// Two at least: one for intents and one that is kept for rows.
std::uint64_t chunks_most(const JournalSettings& settings) {
  return std::max<std::uint64_t>(2, settings.bytes_max / Journal::chunk_bytes);
}

bool lock_file(int fd, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds pause(20);
  for (; ::flock(fd, LOCK_EX | LOCK_NB) != 0; patience -= pause) {
    if (patience <= pause) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

/// The record at `at` of a chunk; empty: there is none, or it is to be checked and not whole.
std::string_view record_at(const char* chunk, std::uint32_t at, bool check = true) {
  RecordHeader header{};
  if (at + sizeof header > Journal::chunk_bytes) return {};
  std::memcpy(&header, chunk + at, sizeof header);
  if (header.bytes == 0 || header.bytes > Journal::record_bytes_max) return {};
  if (at + sizeof header + header.bytes > Journal::chunk_bytes) return {};
  const std::string_view record(chunk + at + sizeof header, header.bytes);
  return !check || checksum(record) == header.checksum ? record : std::string_view{};
}

bool is_rows(std::string_view record) {
  // The kind is the first varint, zigzag: see record.cpp.
  return !record.empty() &&
         record.front() == static_cast<char>(2 * static_cast<int>(RecordKind::rows));
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const JournalSettings& settings) {
  const int fd = ::open(settings.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return cannot(std::strerror(errno), settings.path);
  if (!lock_file(fd, settings.patience)) {
    ::close(fd);
    return cannot("another process has it open", settings.path);
  }
  struct stat info{};
  ::fstat(fd, &info);
  // Addresses for all that it may grow to; pages come with the file.
  const std::size_t mapped = std::max(page + chunks_most(settings) * chunk_bytes,
                                      static_cast<std::size_t>(info.st_size) + chunk_bytes);
  void* base = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) {
    ::close(fd);
    return cannot(std::strerror(errno), settings.path);
  }
  std::unique_ptr<Journal> journal(new Journal(fd, static_cast<char*>(base), mapped, settings));
  auto read = journal->read_header(static_cast<std::uint64_t>(info.st_size));
  if (!read) return std::unexpected(read.error());
  return journal;
}

Journal::Journal(int fd, char* base, std::size_t mapped, const JournalSettings& settings)
    : fd_(fd), base_(base), mapped_(mapped), settings_(settings) {}

Journal::~Journal() {
  ::munmap(base_, mapped_);
  ::close(fd_);
}

Result<void> Journal::read_header(std::uint64_t file_bytes) {
  auto* header = reinterpret_cast<FileHeader*>(base_);
  // Empty, or its maker died before it had written a line.
  const bool fresh = file_bytes == 0 || (file_bytes == page && header->magic.front() == '\0');
  if (fresh) {
    if (::posix_fallocate(fd_, 0, page) != 0) return cannot("no room on the disk", settings_.path);
    header->chunk_bytes = chunk_bytes;
    header->magic = magic;
    return {};
  }
  const bool known = header->magic == magic || header->magic == magic_before;
  if (file_bytes < page || !known || header->chunk_bytes != chunk_bytes) {
    return cannot(
        "it is no journal of this version; where another build wrote it, start and stop "
        "that build once more, then remove the file",
        settings_.path);
  }
  chunks_.resize((file_bytes - page + chunk_bytes - 1) / chunk_bytes);
  // A file that was cut short: its last chunk is read as far as it goes.
  const std::uint64_t whole = page + chunks_.size() * chunk_bytes;
  if (file_bytes < whole && ::posix_fallocate(fd_, 0, static_cast<off_t>(whole)) != 0) {
    return cannot("no room on the disk", settings_.path);
  }
  for (std::uint32_t i = 0; i < chunks_.size(); ++i) {
    Chunk& chunk = chunks_[i];
    chunk.sequence = reinterpret_cast<const ChunkHeader*>(chunk_at(i))->sequence;
    if (chunk.sequence == 0) {
      chunk.dirty = true;
      continue;
    }
    in_use_[chunk.sequence] = i;
    sequence_ = std::max(sequence_, chunk.sequence);
    chunk.used = first_record;
    while (!record_at(chunk_at(i), chunk.used).empty())
      chunk.used += sizeof(RecordHeader) + padded(record_at(chunk_at(i), chunk.used).size());
    const std::uint64_t read = reinterpret_cast<const ChunkHeader*>(chunk_at(i))->read;
    chunk.read =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(read, first_record, chunk.used));
  }
  return {};
}

std::string Journal::ledger_id() const {
  const auto& id = reinterpret_cast<const FileHeader*>(base_)->ledger_id;
  return id.front() == '\0' ? std::string() : std::string(id.data(), id.size());
}

void Journal::set_ledger_id(std::string_view id) {
  auto& place = reinterpret_cast<FileHeader*>(base_)->ledger_id;
  std::copy_n(id.begin(), std::min(id.size(), place.size()), place.begin());
  ::msync(base_, page, MS_SYNC);
}

char* Journal::chunk_at(std::uint32_t chunk) const {
  return base_ + page + std::size_t{chunk} * chunk_bytes;
}

std::vector<Journal::Entry> Journal::everything() const {
  std::vector<Entry> records;
  for (const auto& [sequence, chunk] : in_use_) {
    for (std::uint32_t at = first_record; at < chunks_[chunk].used;) {
      const std::string_view record = record_at(chunk_at(chunk), at);
      if (record.empty()) break;
      records.push_back({std::string(record), at < chunks_[chunk].read});
      at += sizeof(RecordHeader) + padded(record.size());
    }
  }
  return records;
}

void Journal::clear() {
  const std::lock_guard lock(mutex_);
  for (const auto& [sequence, chunk] : in_use_) {
    reinterpret_cast<ChunkHeader*>(chunk_at(chunk))->sequence = 0;
    chunks_[chunk] = {.dirty = true};
  }
  in_use_.clear();
  intents_.clear();
  reading_.clear();
  current_ = UINT32_MAX;
  rows_ = reading_rows_ = 0;
  reinterpret_cast<FileHeader*>(base_)->magic = magic;
}

/// In memory only; of 128 bits no two that are open are the same.
Journal::Key Journal::key_of(std::string_view id) {
  const XXH128_hash_t hash = XXH3_128bits(id.data(), id.size());
  return {hash.low64, hash.high64};
}

bool Journal::grow() {
  const auto have = static_cast<std::uint32_t>(chunks_.size());
  const std::uint64_t most = chunks_most(settings_);
  const auto more = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(grow_by, most - std::min<std::uint64_t>(most, have)));
  if (more == 0) return false;
  const auto offset = static_cast<off_t>(page + std::uint64_t{have} * chunk_bytes);
  if (::posix_fallocate(fd_, offset, static_cast<off_t>(more * chunk_bytes)) != 0) return false;
  chunks_.resize(have + more);
  return true;
}

void Journal::begin_chunk(std::uint32_t chunk) {
  char* place = chunk_at(chunk);
  if (chunks_[chunk].dirty) std::memset(place, 0, chunk_bytes);
  auto* header = reinterpret_cast<ChunkHeader*>(place);
  header->read = first_record;
  chunks_[chunk] = {.sequence = ++sequence_, .used = first_record, .read = first_record, .open = 0};
  header->sequence = sequence_;
  in_use_[sequence_] = chunk;
  current_ = chunk;
}

bool Journal::next_chunk(RecordKind kind) {
  const auto is_free = [](const Chunk& chunk) { return chunk.sequence == 0; };
  const auto left = std::ranges::count_if(chunks_, is_free);
  // The last one is for calls that run already: their rows must find room.
  const std::ptrdiff_t needed = kind == RecordKind::intent ? 2 : 1;
  if (left < needed && !grow() && left < needed) return false;
  const auto found = std::ranges::find_if(chunks_, is_free);
  begin_chunk(static_cast<std::uint32_t>(found - chunks_.begin()));
  return true;
}

bool Journal::put(std::string_view record, std::uint32_t sum, RecordKind kind, Place& place) {
  const auto bytes = static_cast<std::uint32_t>(sizeof(RecordHeader) + padded(record.size()));
  if (record.empty() || record.size() > record_bytes_max) return false;
  if (current_ == UINT32_MAX || chunks_[current_].used + bytes > chunk_bytes) {
    if (!next_chunk(kind)) return false;
  }
  Chunk& chunk = chunks_[current_];
  char* at = chunk_at(current_) + chunk.used;
  auto* header = reinterpret_cast<RecordHeader*>(at);
  header->checksum = sum;
  std::memcpy(at + sizeof(RecordHeader), record.data(), record.size());
  // A crash before this leaves no record, one after it a whole one.
  std::atomic_ref(header->bytes)
      .store(static_cast<std::uint32_t>(record.size()), std::memory_order_release);
  place = {current_, chunk.used};
  chunk.used += bytes;
  if (settings_.fsync) {
    const auto from = reinterpret_cast<std::uintptr_t>(at) / page * page;
    ::msync(reinterpret_cast<void*>(from), reinterpret_cast<std::uintptr_t>(at) + bytes - from,
            MS_SYNC);
  }
  return true;
}

bool Journal::append_intent(std::string_view request_id, std::string_view record) {
  const std::uint32_t sum = checksum(record);
  const Key key = key_of(request_id);
  const std::lock_guard lock(mutex_);
  Place place;
  if (!put(record, sum, RecordKind::intent, place)) return false;
  forget_intent(key);  // that of the attempt before
  intents_[key] = {.chunk = place.chunk, .at = place.at};
  ++chunks_[place.chunk].open;
  return true;
}

bool Journal::append_rows(std::string_view request_id, std::string_view record) {
  const std::uint32_t sum = checksum(record);
  const Key key = key_of(request_id);
  const std::lock_guard lock(mutex_);
  Place place;
  if (!put(record, sum, RecordKind::rows, place)) return false;
  close_intent(key);
  ++rows_;
  return true;
}

std::vector<std::string_view> Journal::next_rows(std::size_t most, std::size_t bytes_most) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string_view> rows;
  std::size_t bytes = 0;
  reading_.clear();
  for (const auto& [sequence, number] : in_use_) {
    const Chunk& chunk = chunks_[number];
    std::uint32_t at = chunk.read;
    while (at < chunk.used && rows.size() < most && bytes < bytes_most) {
      // Written here, or checked when the file was opened: not once more for each row.
      const std::string_view record = record_at(chunk_at(number), at, false);
      if (record.empty()) break;
      if (is_rows(record)) {
        rows.push_back(record);
        bytes += record.size();
      }
      at += sizeof(RecordHeader) + padded(record.size());
    }
    if (at != chunk.read) reading_.emplace_back(number, at);
    if (rows.size() >= most || bytes >= bytes_most) break;
  }
  reading_rows_ = rows.size();
  return rows;
}

void Journal::rewind() {
  const std::lock_guard lock(mutex_);
  reading_.clear();
  reading_rows_ = 0;
}

void Journal::drained() {
  std::vector<std::uint32_t> empty;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [chunk, read] : reading_) {
      chunks_[chunk].read = read;
      reinterpret_cast<ChunkHeader*>(chunk_at(chunk))->read = read;
    }
    rows_ -= std::min(rows_, reading_rows_);
    reading_.clear();
    reading_rows_ = 0;
    empty = free_drained();
  }
  // Wiped outside the lock: no worker waits for four megabytes.
  for (const std::uint32_t number : empty)
    std::memset(chunk_at(number), 0, chunk_bytes);
  const std::lock_guard lock(mutex_);
  for (const std::uint32_t number : empty)
    chunks_[number] = {};
}

/// What no record needs any more; not free yet, only out of use.
std::vector<std::uint32_t> Journal::free_drained() {
  std::vector<std::uint32_t> empty;
  for (auto entry = in_use_.begin(); entry != in_use_.end();) {
    const std::uint32_t number = entry->second;
    const bool done = number != current_ && chunks_[number].read >= chunks_[number].used;
    if (!done || (chunks_[number].open > 0 && !move_intents(number))) {
      ++entry;
      continue;
    }
    reinterpret_cast<ChunkHeader*>(chunk_at(number))->sequence = 0;
    empty.push_back(number);
    entry = in_use_.erase(entry);
  }
  return empty;
}

/// Long calls must not keep old chunks: their intents are written once more at the end.
bool Journal::move_intents(std::uint32_t from) {
  for (auto& [key, intent] : intents_) {
    if (intent.chunk != from) continue;
    Place place;
    const std::string record(record_at(chunk_at(from), intent.at));
    if (!put(record, checksum(record), RecordKind::rows, place)) return false;
    --chunks_[from].open;
    ++chunks_[place.chunk].open;
    intent.chunk = place.chunk;
    intent.at = place.at;
  }
  return true;
}

Journal::Fill Journal::fill() const {
  const std::lock_guard lock(mutex_);
  Fill fill{.rows = rows_, .bytes = 0, .intents = intents_.size()};
  for (const auto& [sequence, chunk] : in_use_)
    fill.bytes += chunks_[chunk].used - chunks_[chunk].read;
  return fill;
}

}  // namespace tollgate::ledger
