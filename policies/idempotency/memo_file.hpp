// MemoFile: the file beside the journal that outlives the process: which calls with an
// Idempotency-Key were begun and not taken back. Their replies are not in it: after a restart each
// of them is unknown, so that none is paid for twice. Records are appended with one write, which
// outlives `kill -9`; two files take turns, so that it holds two times to live at most. Any worker,
// under a lock of its own: nobody who only looks into the table waits for the disk.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "policies/idempotency/table.hpp"

namespace tollgate::policies {

class MemoFile final : public IdempotencyMemo {
 public:
  /// `path` may not exist yet; it is made (mode 0600) with the first call.
  MemoFile(const Clock& clock, std::string path, std::chrono::milliseconds ttl);
  ~MemoFile();
  MemoFile(const MemoFile&) = delete;
  MemoFile& operator=(const MemoFile&) = delete;

  /// Once, before the first call: what earlier processes began within the time to live, the oldest
  /// first. A file of the first version is rewritten as one of this. Error: a file that is none of
  /// ours, or cannot be read or written.
  using Each = std::function<void(const Digest& id, const Digest& fingerprint,
                                  std::chrono::milliseconds age)>;
  Result<void> read(const Each& each);
  bool began(const Digest& id, const Digest& fingerprint) override;
  void forgotten(const Digest& id) noexcept override;
  void set_ttl(std::chrono::milliseconds ttl) noexcept override { ttl_ = ttl; }

 private:
  struct Record;  // 80 bytes
  [[nodiscard]] std::string older() const { return path_ + ".old"; }
  static Result<void> load(const std::string& path, std::vector<Record>& records);
  static Result<void> rewrite(const std::string& path, const std::vector<Record>& records);
  bool append(const Record& record) noexcept;
  bool open_current() noexcept;
  void change_files(std::int64_t now) noexcept;

  const Clock& clock_;
  std::string path_;
  std::atomic<std::chrono::milliseconds> ttl_;
  std::mutex mutex_;  // guards all below
  int fd_ = -1;
  std::int64_t first_ = 0;  // time of the current file's first record; 0: it has none
  std::uint64_t bytes_ = 0;
};

}  // namespace tollgate::policies
