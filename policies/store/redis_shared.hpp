// RedisShared: what the Redis stores of all workers have in common: the scripts, where each scope
// stands, what the ledger knows of it, and the figures of this process. Made once a process, keeps
// its accounts over reloads; any thread.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "config/config.hpp"
#include "gateway/core/clock.hpp"
#include "policies/store/memory.hpp"
#include "policies/store/redis_account.hpp"
#include "policies/store/redis_numbers.hpp"
#include "policies/store/redis_scripts.hpp"

namespace tollgate::policies {

/// A call whose lease ran out: its gateway is gone, what it held counts as spent (M25).
struct RunOut {
  std::string id;
  SystemTime admitted_at{};
  NanoUsd charged = 0;
  bool ours = false;               ///< our ledger is to have its row, should it have none
  std::string tenant, key, model;  ///< as far as they are known
};

/// A call of a process that is gone: what our ledger says that it came to (M27).
struct LeftCall {
  std::string id, tenant, key, model;
  NanoUsd charged = 0;
  bool ended = false;  ///< else nobody knows, and its row says `unknown`
};

struct RedisTerms {
  std::string prefix = "tollgate";
  bool cluster = false;
  std::chrono::milliseconds lease{60'000};
  config::OnErrorConfig on_error;
  std::string ledger = "none";               ///< id of the ledger that `restore` speaks for
  std::chrono::milliseconds remember{5000};  ///< a denial, at most (M9)
  /// How long rows of other replicas are under way to a ledger that they share.
  std::chrono::milliseconds rows_travel{0};
  std::uint64_t users_max = 100'000;  ///< of one tenant with a bucket of their own
  bool own_clock = false;             ///< tests: go by ours, not by that of Redis
  std::function<void()> on_lost;      ///< Redis lost its data: `restore` anew; any worker
  std::function<void(const RunOut&)> on_run_out;  ///< any worker
  /// A settlement got no answer; the same one has got it, maybe much later. Any worker.
  std::function<void(const std::string& id)> on_unanswered, on_settled;
  bool shares_ledger = false;                  ///< with other replicas
  std::function<void(std::string_view)> warn;  ///< a sentence for the log; any worker
};

/// For /metrics.
struct RedisCounts {
  std::uint64_t errors = 0;      ///< questions that Redis did not answer
  std::uint64_t degraded = 0;    ///< calls admitted or denied without it
  std::uint64_t unfinished = 0;  ///< settlements that wait for it
  std::uint64_t run_out = 0;     ///< leases
  bool away = false;
};

class RedisShared {
 public:
  /// `clock` outlives it.
  RedisShared(RedisTerms terms, const Clock& clock);

  // Store's contracts; control thread.
  bool attach(Scope& scope);
  void restore(const Scope& scope, SystemTime when, NanoUsd charged);
  void forget_denials() { ++reloads_; }
  /// To be settled once a store runs.
  void leave(LeftCall call);
  [[nodiscard]] Store::Totals totals() const { return {reserved_, spent_}; }

  /// Before the scopes are restored once more, after `on_lost`.
  void forget_books();
  /// They are, as they stood at `when`: what Redis does not know is filled again.
  void books_are_read(SystemTime when);
  [[nodiscard]] RedisCounts counts() const;

  // For the workers' stores.
  [[nodiscard]] const RedisTerms& terms() const { return terms_; }
  [[nodiscard]] const RedisScripts& scripts() const { return scripts_; }
  [[nodiscard]] const RedisKeys& keys() const { return keys_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] MemoryStore& local() { return local_; }
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  /// The store's present moment, for a question that is about to be sent.
  [[nodiscard]] std::uint64_t moment() const { return moment_; }
  /// Redis knows this account.
  void seen(RedisAccount& account) {
    if (account.seen.load(std::memory_order_relaxed) == 0) account.seen = ++moment_;
  }
  /// Whether Redis, which knows nothing of this account, had known it before `asked`: then its data
  /// are lost and must be read anew.
  [[nodiscard]] bool is_lost(const RedisAccount& account, std::uint64_t asked) const {
    const std::uint64_t seen = account.seen;
    return terms_.on_lost && seen != 0 && seen <= asked;
  }
  /// Has the ledger read anew.
  void lost();
  /// As of when that was done last, by our clock.
  [[nodiscard]] SystemTime books_at() const;
  /// What the ledger knows of it, for the script that fills it.
  void add_spent(RedisAccount& account, RedisNumbers& numbers) const;
  void held(NanoUsd more) { reserved_ += more; }
  void settled(NanoUsd held, NanoUsd charged);
  void failed(const Error& error);
  void worked();
  /// Said the first time only.
  void warn_once(std::string_view text);
  void count_degraded() { ++degraded_; }
  void count_unfinished(std::int64_t more) { unfinished_ += static_cast<std::uint64_t>(more); }
  /// `keys`: where the call held something.
  void ran_out(RunOut call, const std::vector<std::string>& keys);
  /// The same of one that another replica found, for our ledger.
  void is_to_be_booked(RunOut call, const std::vector<std::string>& keys);
  [[nodiscard]] std::vector<LeftCall> take_left();
  /// By what the call's records are placed: all the tags that its scopes may have.
  [[nodiscard]] std::vector<std::string> tags_of(const LeftCall& call);
  /// What leases and markers are kept by: all tags in Cluster, else one that stands for all.
  [[nodiscard]] std::vector<std::string> tags();

 private:
  void name(RunOut& call, const std::vector<std::string>& keys);
  std::shared_ptr<RedisAccount> make(const Scope& scope);
  [[nodiscard]] Scope local_copy(const Scope& scope);

  const RedisTerms terms_;
  const Clock& clock_;
  const RedisScripts scripts_;
  const RedisKeys keys_;
  MemoryStore local_;
  std::mutex mutex_;
  std::map<AccountName, std::shared_ptr<RedisAccount>> accounts_;
  // Other names may lead here; old plans still hold them.
  std::vector<std::shared_ptr<RedisAccount>> moved_;
  std::vector<LeftCall> left_;
  std::atomic<NanoUsd> reserved_{0}, spent_{0};
  std::atomic<std::uint64_t> moment_{1}, reloads_{0}, errors_{0}, degraded_{0}, unfinished_{0},
      run_out_{0};
  std::atomic<std::int64_t> books_at_;
  std::atomic<bool> lost_{false}, away_{false}, warned_{false};
};

}  // namespace tollgate::policies
