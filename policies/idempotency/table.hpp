// IdempotencyTable: what is known of calls with an Idempotency-Key, by tenant, endpoint and key:
// one runs, has a reply, or may have been paid for without one. Bounded in bytes and shared fairly
// by tenants, entries end after their time to live. One object a process, kept over reloads; any
// worker, a short lock for each keyed call, none for others.
#pragma once
#include <boost/intrusive/list.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "gateway/core/clock.hpp"
#include "policies/digest.hpp"
#include "policies/idempotency/reply_log.hpp"

namespace tollgate::policies {

struct IdempotencyBounds {
  std::chrono::milliseconds ttl{std::chrono::hours(24)};
  std::uint64_t bytes_max = 256ULL << 20U;
};

struct KeyedCall {
  std::string_view tenant, endpoint, key;
  std::string_view body;
};

/// The key was used before with another body.
[[nodiscard]] Error key_reused();
/// A call had this key, and what became of it is not known any more.
[[nodiscard]] Error key_unknown();

/// A call that is to be remembered beyond this process. Any worker; asked without the table's lock,
/// of one key never by two at once.
struct IdempotencyMemo {
  /// False: it cannot be noted, so the call must not run.
  virtual bool began(const Digest& id, const Digest& fingerprint) = 0;
  /// Nothing was spent: as if it had never been.
  virtual void forgotten(const Digest& id) noexcept = 0;
  /// How long a call is to be remembered from now on.
  virtual void set_ttl(std::chrono::milliseconds ttl) noexcept = 0;

 protected:
  ~IdempotencyMemo() = default;
};

class IdempotencyTable {
 public:
  explicit IdempotencyTable(const Clock& clock) : clock_(clock) {}
  IdempotencyTable(const IdempotencyTable&) = delete;
  IdempotencyTable& operator=(const IdempotencyTable&) = delete;

  /// Takes effect with the next call.
  void set_bounds(const IdempotencyBounds& bounds);
  enum class Notes : std::uint8_t {
    every_call,
    asked_for,  ///< those alone whose leader calls `remember`: others know of the rest
  };
  /// Before the first call; outlives the table's use. nullptr: nothing is remembered.
  void set_memo(IdempotencyMemo* memo, Notes notes = Notes::every_call) {
    memo_ = memo;
    notes_ = notes;
  }

  class Lead;
  struct Entrance;
  /// Errors: 422 idempotency_key_reused, 409 idempotency_unknown, 503 overloaded (no room beside
  /// what runs or is young), 503 store_unavailable (the memo).
  [[nodiscard]] Result<Entrance> enter(const KeyedCall& call);

  /// A call of an earlier process, `age` old: whatever became of it, its reply is not here.
  void restore(const Digest& id, const Digest& fingerprint, std::chrono::milliseconds age);

  struct Stats {
    std::uint64_t entries = 0, running = 0, bytes = 0;
    // Since the start.
    std::uint64_t led = 0, joined = 0, replayed = 0, reused = 0, unknown = 0, full = 0, evicted = 0;
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct Tenant;
  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  struct Entry {
    Digest id{}, fingerprint{};
    Tenant* tenant = nullptr;
    std::uint64_t bytes = 0;
    std::shared_ptr<ReplyLog> log;  // null: the call was or may have been paid, its reply is lost
    bool running = false;
    SteadyTime ended{};
    Hook by_time, by_tenant;  // linked once it has ended
  };
  using ByTime =
      boost::intrusive::list<Entry, boost::intrusive::member_hook<Entry, Hook, &Entry::by_time>,
                             boost::intrusive::constant_time_size<false>>;
  using ByTenant =
      boost::intrusive::list<Entry, boost::intrusive::member_hook<Entry, Hook, &Entry::by_tenant>,
                             boost::intrusive::constant_time_size<false>>;
  struct Tenant {
    std::string name;
    std::uint64_t bytes = 0;
    std::size_t entries = 0;
    ByTenant ended;  // the oldest first
  };

  Result<Entrance> join_or_lead(const KeyedCall& call, const Digest& id, const Digest& fingerprint);
  Result<Entrance> found(const Entry& entry, const Digest& fingerprint);
  Entry* add(std::string_view tenant, const Digest& id, const Digest& fingerprint);
  bool make_room(Tenant& tenant, std::uint64_t bytes);
  Tenant* victim_for(const Tenant& asking);
  [[nodiscard]] bool may_evict(const Entry& entry) const;
  bool grow(Entry& entry, std::uint64_t bytes);
  void close(Entry& entry, ReplyLog::State state, SteadyTime ended);
  void drop_expired();
  void charge(Entry& entry, std::uint64_t bytes);
  void erase(Entry& entry);
  void leave(Tenant& tenant);

  const Clock& clock_;
  IdempotencyMemo* memo_ = nullptr;
  Notes notes_ = Notes::every_call;
  mutable std::mutex mutex_;  // guards all below
  IdempotencyBounds bounds_;
  std::unordered_map<Digest, std::unique_ptr<Entry>, DigestHash> entries_;
  std::map<std::string, Tenant, std::less<>> tenants_;
  std::set<std::pair<std::uint64_t, Tenant*>> by_bytes_;  // all of tenants_
  ByTime ended_;                                          // the oldest first
  std::uint64_t used_ = 0;
  Stats stats_;
};

/// The call that runs for a key: what it writes is what others read. On its worker. Dropped without
/// `end`: it may have been paid, and nobody knows its reply.
class IdempotencyTable::Lead final : private LogRoom {
 public:
  Lead(Lead&& other) noexcept;
  Lead& operator=(Lead&& other) = delete;
  ~Lead();

  [[nodiscard]] const Digest& id() const { return entry_->id; }
  [[nodiscard]] const Digest& fingerprint() const { return entry_->fingerprint; }
  [[nodiscard]] const std::shared_ptr<ReplyLog>& log() const { return log_; }
  /// Notes the call in the memo, if there is one and it is not there yet. Error: 503
  /// store_unavailable, and then the call has ended, as one that spent nothing.
  Result<void> remember();
  void begin(KeptHead head) { log_->begin(std::move(head)); }
  /// Frames of the reply. Where no room is left for them the rest is lost to others.
  void append(const Pieces& frames);
  /// Once. `failed`: nothing was spent, the next call with this key runs.
  void end(ReplyLog::State state, std::optional<Error> error = std::nullopt);

 private:
  friend IdempotencyTable;
  Lead(IdempotencyTable& table, Entry& entry) : table_(&table), entry_(&entry), log_(entry.log) {}
  bool take(std::uint64_t bytes) noexcept override;

  IdempotencyTable* table_;
  Entry* entry_;  // null: it has ended
  bool noted_ = false;
  std::shared_ptr<ReplyLog> log_;
};

/// What a call with a key is to do.
struct IdempotencyTable::Entrance {
  std::optional<Lead> lead;       ///< run, and write the reply here; or
  std::shared_ptr<ReplyLog> log;  ///< read this reply
  bool running = false;           ///< it is still being written
};

}  // namespace tollgate::policies
