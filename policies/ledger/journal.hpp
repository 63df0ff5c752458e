// Journal: the preallocated, memory-mapped file in which every intent and every row stands before
// the database has it (money.md M26 to M28). What a process wrote there outlives its kill. The file
// is a row of chunks: records are appended to one; a chunk is free again when the database has all
// of its rows and none of its intents is open. Appending: any thread, a short lock. Reading and
// freeing: the ledger's writer alone.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/core/error.hpp"
#include "policies/ledger/record.hpp"

namespace tollgate::ledger {

struct JournalSettings {
  std::string path;
  std::uint64_t bytes_max = 4ULL << 30U;
  bool fsync = false;
  /// How long to wait for its lock: a command may be reading it.
  std::chrono::milliseconds patience{0};
};

class Journal {
 public:
  static constexpr std::size_t chunk_bytes = 4U << 20U;
  static constexpr std::size_t record_bytes_max = chunk_bytes / 4;

  /// Opens or makes the file (mode 0600) and locks it. Error: in use, not writable, not a journal,
  /// another version.
  static Result<std::unique_ptr<Journal>> open(const JournalSettings& settings);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// The ledger that it belongs to; empty in a new file.
  [[nodiscard]] std::string ledger_id() const;
  void set_ledger_id(std::string_view id);
  /// A record as it stands in the file.
  struct Entry {
    std::string bytes;
    bool drained = false;  ///< the database has seen it
  };
  /// Every record that stands in it, in the order of writing, whatever has been drained before.
  [[nodiscard]] std::vector<Entry> everything() const;
  /// All records are in the database: begins anew.
  void clear();

  /// False: there is no room.
  [[nodiscard]] bool append_intent(std::string_view request_id, std::string_view record);
  /// Closes the request's intent, unless it is kept.
  [[nodiscard]] bool append_rows(std::string_view request_id, std::string_view record);
  /// The request's intent stays until `release`, though its rows come (`has_rows`: they are there).
  void keep_intent(std::string_view request_id, bool has_rows);
  void release_intent(std::string_view request_id);

  /// Up to `most` rows records that were not drained yet, as views into the file.
  [[nodiscard]] std::vector<std::string_view> next_rows(std::size_t most, std::size_t bytes_most);
  /// The database has what `next_rows` gave last: chunks may become free.
  void drained();
  /// It has not: `next_rows` gives the same again.
  void rewind();

  struct Fill {
    std::uint64_t rows = 0, bytes = 0, intents = 0;
  };
  [[nodiscard]] Fill fill() const;

 private:
  struct Chunk {
    std::uint64_t sequence = 0;  // 0: free
    std::uint32_t used = 0;      // bytes of records
    std::uint32_t read = 0;      // of those: drained
    std::uint32_t open = 0;      // intents that have no rows yet
    bool dirty = false;          // free, but old bytes stand in it
  };
  struct Intent {
    std::uint32_t chunk = 0, at = 0;
    bool kept = false, has_rows = false;
  };
  struct Place {
    std::uint32_t chunk = 0, at = 0;
  };
  using Key = std::array<std::uint64_t, 2>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key[0] ^ key[1] * 0x9e3779b97f4a7c15ULL; }
  };

  Journal(int fd, char* base, std::size_t mapped, const JournalSettings& settings);
  Result<void> read_header(std::uint64_t file_bytes);
  [[nodiscard]] static Key key_of(std::string_view request_id);
  [[nodiscard]] char* chunk_at(std::uint32_t chunk) const;
  [[nodiscard]] bool put(std::string_view record, std::uint32_t sum, RecordKind kind, Place& place);
  [[nodiscard]] bool next_chunk(RecordKind kind);
  [[nodiscard]] bool grow();
  void begin_chunk(std::uint32_t chunk);
  void forget_intent(const Key& key);
  void close_intent(const Key& key);
  [[nodiscard]] std::vector<std::uint32_t> free_drained();
  [[nodiscard]] bool move_intents(std::uint32_t chunk);

  int fd_;
  char* base_;
  std::size_t mapped_;
  JournalSettings settings_;

  mutable std::mutex mutex_;  // guards all below
  std::vector<Chunk> chunks_;
  std::map<std::uint64_t, std::uint32_t> in_use_;  // sequence -> chunk
  std::uint32_t current_ = UINT32_MAX;
  std::uint64_t sequence_ = 0;
  std::unordered_map<Key, Intent, KeyHash> intents_;
  std::uint64_t rows_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> reading_;  // chunk, read so far
  std::uint64_t reading_rows_ = 0;
};

}  // namespace tollgate::ledger
