// RedisStore: limits and budgets in Redis, shared by replicas: one script reserves in all scopes of
// a call, one settles (money.md M20); in Cluster one for each tree of tenants and one for the model
// (M21). What got no answer is asked again until it has one (M22); while Redis is away `on_error`
// holds. One object a worker, on its thread; what they share is a RedisShared.
#pragma once
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/store.hpp"
#include "policies/store/denials.hpp"
#include "policies/store/redis_call.hpp"
#include "policies/store/redis_port.hpp"
#include "policies/store/redis_shared.hpp"

namespace tollgate::policies {

class RedisStore final : public Store {
 public:
  /// `port` may be absent: then scopes can be attached and restored, and Redis is away.
  RedisStore(RedisShared& shared, RedisPort* port);
  ~RedisStore() override;

  bool attach(Scope& scope) override { return shared_.attach(scope); }
  void restore(const Scope& scope, SystemTime when, NanoUsd charged) override {
    shared_.restore(scope, when, charged);
  }
  Awaitable<Verdict> reserve(const Ask& ask) override;
  Awaitable<std::expected<void, Denial>> extend(Reservation& reservation, NanoUsd total) override;
  Awaitable<std::vector<Crossing>> settle(std::unique_ptr<Reservation> reservation,
                                          const Charge& charge) override;
  Awaitable<Result<std::vector<Reading>>> read(std::span<const Scope* const> scopes,
                                               std::string_view user) override;
  [[nodiscard]] Totals totals() const override { return shared_.totals(); }
  void forget_denials() override { shared_.forget_denials(); }

  /// Every second or so: asks again what got no answer; three times in a lease renews those of
  /// running calls.
  Awaitable<void> keep_up();
  /// One store of a process also looks after what gateways that are gone left behind.
  void look_after_all() { ends_leases_ = true; }

 private:
  using Groups = std::vector<RedisGroup>;

  [[nodiscard]] Groups groups_of(std::span<const Scope* const> scopes, std::string_view id) const;
  Awaitable<Result<RedisAnswer>> run(const RedisScript& script, RedisAsk& ask);
  Awaitable<Result<RedisAnswer>> run_filled(const RedisScript& script, RedisAsk& ask);
  Awaitable<Result<std::vector<std::string>>> run_list(const RedisScript& script, RedisAsk& ask);
  Awaitable<Result<RedisReply>> send(const RedisScript& script, RedisAsk& ask);
  /// `asked`: the moment at which Redis did not know it.
  Awaitable<Result<void>> fill(RedisAccount& account, const Scope* scope, std::uint64_t asked);

  [[nodiscard]] RedisAsk reserving(const RedisReservation& own, const RedisGroup& group,
                                   const Ask& ask, bool again) const;
  [[nodiscard]] static RedisAsk extending(const RedisGroup& group, NanoUsd total, bool again);
  Awaitable<std::expected<void, Denial>> extend_all(RedisReservation& own, NanoUsd total);
  Awaitable<Result<bool>> ask_group(const Ask& ask, RedisReservation& own, RedisGroup& group,
                                    RedisPlaces& places);
  Admitted admitted(std::unique_ptr<RedisReservation> own, RedisPlaces& places);
  [[nodiscard]] RedisAsk about(const RedisReservation& own, const RedisGroup& group) const;
  /// A settlement, or, without a charge, what takes a reserve back.
  [[nodiscard]] RedisAsk ending(const RedisReservation& own, const RedisGroup& group,
                                const Charge* charge) const;
  static void note_crossings(const RedisGroup& group, const RedisReservation& own,
                             RedisAnswer& answer, std::vector<Crossing>& out);
  Awaitable<void> give_back(RedisReservation& own);
  void take_back(RedisReservation& own);
  void keep(RedisAsk end);
  void keep_settlements(std::vector<RedisAsk> ends, const std::string& id);
  void asked_again(RedisAsk& end) const;
  Awaitable<void> ask_unfinished();
  Awaitable<void> tell_answered();
  Awaitable<void> mark();

  // Where other data answer than before.
  Awaitable<std::string> data_behind(std::string tag);
  Awaitable<bool> may_lack_writes(const RedisReservation& own);
  /// Whose data answer now, where that is not whom this worker stands behind; else nothing.
  [[nodiscard]] std::optional<std::string> other_data(const RedisReservation& own) const;
  Awaitable<bool> stands_behind(std::string tag, std::string id);
  Awaitable<bool> join(std::string tag, std::string id, bool asks);
  Awaitable<void> stand_behind_all();
  void forget_settled();
  Awaitable<bool> replay(std::string tag);
  [[nodiscard]] std::vector<RedisAsk> ends_to_replay(std::string_view list) const;
  /// Reserves, and what raised them.
  struct Begins {
    std::vector<RedisAsk> reserves, raises;
  };
  [[nodiscard]] Begins begins_to_replay(std::string_view list) const;
  Awaitable<bool> all_run(const RedisScript& script, std::vector<RedisAsk> asks);

  Awaitable<void> settle_left();
  Awaitable<bool> settle_left(const LeftCall& call);
  Awaitable<void> renew();
  Awaitable<void> end_leases();
  Awaitable<void> book_left(std::string list);
  Awaitable<void> end_lease(const std::string& list, const std::string& record);

  // While Redis is away.
  Awaitable<Verdict> reserve_away(const Ask& ask, std::unique_ptr<RedisReservation> own);
  Awaitable<std::expected<void, Denial>> extend_away(RedisReservation& own, NanoUsd total);
  [[nodiscard]] std::optional<Denial> denied_away(std::span<const Scope* const> scopes,
                                                  NanoUsd bound) const;
  [[nodiscard]] static const Scope* original(std::span<const Scope* const> scopes,
                                             const Scope* local);

  RedisShared& shared_;
  RedisPort* port_;
  RememberedDenials denials_;
  std::uint64_t reloads_seen_ = 0;
  std::list<RedisReservation*> running_;
  std::deque<RedisAsk> unfinished_;  // ends without an answer
  std::optional<RedisAsk> asking_;   // the one of them that is asked now
  struct Settled {
    SteadyTime at;
    RedisAsk end;
  };
  std::deque<Settled> settled_;                                // of the last minute
  std::vector<std::pair<std::string, std::string>> answered_;  // leases' list, record: before that
  struct Data {
    std::string sure;  // whose data have all that was written
    std::string seen;  // others, which answered last
    SteadyTime seen_at{}, ask_at{};
    bool written = false;  // our last minute, to those
    bool joining = false;
  };
  std::map<std::string, Data> data_;  // by tag
  const std::string name_;            // among the workers of all replicas
  bool nameless_ = false;             // Redis does not tell whose data it has
  bool keeping_up_ = false, ends_leases_ = false;
  SystemTime marked_{};
  SteadyTime renewed_at_{};
};

}  // namespace tollgate::policies
