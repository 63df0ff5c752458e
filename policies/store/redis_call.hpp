// What one call of the Redis store consists of: its scopes by the place where they stand, what it
// holds there, and one question to a script. Private to policies/store; the call's worker.
#pragma once
#include <list>
#include <string>
#include <vector>

#include "policies/store/question.hpp"
#include "policies/store/redis_account.hpp"
#include "policies/store/redis_numbers.hpp"

namespace tollgate::policies {

/// Scopes that one script reaches: all of them, in Cluster those of one tree or the model.
struct RedisGroup {
  std::string tag, record;
  std::vector<const Scope*> scopes;
  bool asked = false;  ///< it may hold something there
};

struct RedisReservation final : Reservation {
  std::string id, user;
  std::vector<const Scope*> scopes;
  std::vector<RedisGroup> groups;
  const Scope* user_scope = nullptr;  ///< whose `per_user` holds
  NanoUsd estimate = 0;
  NanoUsd raised_to = 0;  ///< by an extension, granted or not answered yet; 0: by none
  std::uint64_t tokens = 0;
  const Charge* charge = nullptr;      ///< while its settlement has no answer
  std::unique_ptr<Reservation> local;  ///< admitted while Redis was away
  std::list<RedisReservation*>::iterator running{};

  [[nodiscard]] bool has_user(const RedisGroup& group) const;
  [[nodiscard]] bool counts() const { return counts_in_totals(scopes); }
};

/// A script's keys and numbers.
struct RedisAsk {
  std::vector<std::string> keys;
  RedisNumbers numbers;
  std::vector<RedisAccount*> accounts;   ///< in the order in which the script counts them
  std::span<const Scope* const> scopes;  ///< the same as the plan has them, or none
  std::vector<std::string> further;      ///< texts behind the usual ones
  bool settles = false;                  ///< it is a settlement
  std::string completes;                 ///< the call that is settled once this has its answer

  /// The scopes' keys, and for the numbers their rules are left to the caller.
  void add_scopes(std::span<const Scope* const> of);
  /// The keys of a user's buckets: its own (or nobody's), nobody's, the list of users.
  void add_user(const RedisKeys& keys_of, const Scope& scope, std::string_view user);
};

/// Places for a question, as they come out of Redis.
class RedisPlaces {
 public:
  RedisPlaces(const Ask& ask, const RedisReservation& reservation);
  /// What a group's scopes said.
  void add(const RedisGroup& group, RedisAnswer& answer, SystemTime now, SystemTime admitted);
  [[nodiscard]] bool empty() const { return !question_.has_value(); }
  [[nodiscard]] Question& question() { return *question_; }

 private:
  const Ask& ask_;
  const RedisReservation& reservation_;
  std::vector<Buckets> buckets_;  // stay in place
  std::optional<Question> question_;
};

/// Lines of GET /v1/usage, as a group's scopes answer them.
class RedisReadings {
 public:
  /// `user_scope`: of this group, or none.
  RedisReadings(const RedisGroup& group, const Scope* user_scope, std::string_view user)
      : group_(group), user_scope_(user_scope), user_(user) {}
  void take(RedisAnswer& answer, std::vector<Reading>& out) const;

 private:
  const RedisGroup& group_;
  const Scope* user_scope_;
  std::string_view user_;
};

}  // namespace tollgate::policies
