#include "policies/idempotency/memo_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

// The header alone: what runs it needs no library more.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tollgate::policies {
namespace {

constexpr std::string_view magic = "tollgate memo 2\n";
/// The same records with another sum; nobody writes it any more.
constexpr std::string_view magic_before = "tollgate memo 1\n";
constexpr std::uint32_t kind_began = 1, kind_forgotten = 2;

bool write_all(int fd, const void* bytes, std::size_t count) noexcept {
  ssize_t written = 0;
  do {
    written = ::write(fd, bytes, count);
  } while (written < 0 && errno == EINTR);
  return written == static_cast<ssize_t>(count);
}

}  // namespace

/// As it stands in the file.
struct MemoFile::Record {
  std::uint32_t kind = 0, sum = 0;
  std::int64_t micros = 0;
  Digest id{}, fingerprint{};

  /// Tells a whole record from one that a crash of the machine left half written.
  [[nodiscard]] std::uint32_t true_sum() const {
    Record unsigned_record = *this;
    unsigned_record.sum = 0;
    return static_cast<std::uint32_t>(XXH3_64bits(&unsigned_record, sizeof unsigned_record));
  }
  /// As files of the first version have it.
  [[nodiscard]] std::uint32_t sum_before() const {
    std::array<std::uint32_t, 19> words{};
    std::memcpy(words.data(), &kind, sizeof kind);
    std::memcpy(words.data() + 1, &micros, sizeof micros);
    std::memcpy(words.data() + 3, id.data(), id.size());
    std::memcpy(words.data() + 11, fingerprint.data(), fingerprint.size());
    std::uint32_t hash = 2166136261U;
    for (const std::uint32_t word : words)
      hash = std::rotl((hash ^ word) * 16777619U, 5);
    return hash;
  }
};

MemoFile::MemoFile(const Clock& clock, std::string path, std::chrono::milliseconds ttl)
    : clock_(clock), path_(std::move(path)), ttl_(ttl) {}

MemoFile::~MemoFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> MemoFile::load(const std::string& path, std::vector<Record>& records) {
  std::ifstream file(path, std::ios::binary);
  if (!file && errno == ENOENT) return {};
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const std::string_view start = std::string_view(bytes).substr(0, magic.size());
  const bool old = start == magic_before;
  if (!file || !(old || magic.starts_with(start))) {
    return fail(ErrorKind::internal,
                path + " cannot be read, or is no file of this version of Tollgate");
  }
  std::vector<Record> found;
  for (std::size_t at = magic.size(); at + sizeof(Record) <= bytes.size(); at += sizeof(Record)) {
    Record record;
    std::memcpy(&record, bytes.data() + at, sizeof record);
    if (record.sum != (old ? record.sum_before() : record.true_sum())) continue;
    record.sum = record.true_sum();
    found.push_back(record);
  }
  records.insert(records.end(), found.begin(), found.end());
  return old ? rewrite(path, found) : Result<void>{};
}

/// All of it or nothing: until the new file is whole on the disk the one before stays.
Result<void> MemoFile::rewrite(const std::string& path, const std::vector<Record>& records) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && write_all(fd, magic.data(), magic.size()) &&
                       write_all(fd, records.data(), records.size() * sizeof(Record)) &&
                       ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (written && ::rename(fresh.c_str(), path.c_str()) == 0) return {};
  return fail(
      ErrorKind::internal,
      path + " of an earlier version of Tollgate cannot be rewritten: " + std::strerror(errno));
}

Result<void> MemoFile::read(const Each& each) {
  std::vector<Record> records;
  if (auto loaded = load(older(), records); !loaded) return loaded;
  const std::size_t old = records.size();
  if (auto loaded = load(path_, records); !loaded) return loaded;
  if (records.size() > old) first_ = records[old].micros;
  std::unordered_map<Digest, const Record*, DigestHash> last;
  for (const Record& record : records)
    last[record.id] = &record;
  const std::int64_t now = micros_of(clock_.system());
  const std::chrono::milliseconds ttl = ttl_;
  for (const Record& record : records) {
    if (last[record.id] != &record || record.kind != kind_began) continue;
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::microseconds(std::max<std::int64_t>(0, now - record.micros)));
    if (age < ttl) each(record.id, record.fingerprint, age);
  }
  return {};
}

bool MemoFile::began(const Digest& id, const Digest& fingerprint) {
  Record record{.kind = kind_began,
                .micros = micros_of(clock_.system()),
                .id = id,
                .fingerprint = fingerprint};
  record.sum = record.true_sum();
  return append(record);
}

void MemoFile::forgotten(const Digest& id) noexcept {
  Record record{.kind = kind_forgotten, .micros = micros_of(clock_.system()), .id = id};
  record.sum = record.true_sum();
  // One that cannot be written leaves the call unknown after a restart: safe, if not needed.
  (void)append(record);
}

bool MemoFile::append(const Record& record) noexcept {
  const std::scoped_lock lock(mutex_);
  change_files(record.micros);
  if (fd_ < 0 && !open_current()) return false;
  if (!write_all(fd_, &record, sizeof record)) {
    // Half a record must not stand before whole ones.
    (void)::ftruncate(fd_, static_cast<off_t>(bytes_));
    return false;
  }
  bytes_ += sizeof record;
  if (first_ == 0) first_ = record.micros;
  return true;
}

/// Once all of the older file has outlived its time, the current one takes its place.
void MemoFile::change_files(std::int64_t now) noexcept {
  const std::int64_t ttl = std::chrono::microseconds(ttl_.load()).count();
  if (first_ == 0 || now - first_ < ttl) return;
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (::rename(path_.c_str(), older().c_str()) == 0) first_ = 0;
}

bool MemoFile::open_current() noexcept {
  const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  struct stat status{};
  const bool known = ::fstat(fd, &status) == 0;
  const auto size = static_cast<std::uint64_t>(known ? status.st_size : 0);
  const bool begun = size >= magic.size();
  bytes_ = begun ? size - (size - magic.size()) % sizeof(Record) : 0;
  const bool cut = known && ::ftruncate(fd, static_cast<off_t>(bytes_)) == 0;
  if (!cut || (!begun && !write_all(fd, magic.data(), magic.size()))) {
    ::close(fd);
    return false;
  }
  if (!begun) bytes_ = magic.size();
  fd_ = fd;
  return true;
}

}  // namespace tollgate::policies
