// Reference: what a store must answer, worked out anew from the whole history at each question.
// Slow and simple: sums over all calls ever made, buckets replayed from their first drop. The
// stores are compared with it over random histories.
#pragma once
#include <list>
#include <map>

#include "world.hpp"

namespace tollgate::store_tests {

class Reference {
 public:
  struct Call {
    std::vector<std::string> scopes;  // labels
    SystemTime admitted;
    std::uint64_t tokens = 0;
    NanoUsd held = 0, estimate = 0, charged = 0;
    bool running = true;
  };
  struct Answer {
    Call* call = nullptr;  ///< admitted
    DenialKind kind = DenialKind::requests;
    std::string scope;  ///< of a denial; empty where several deny alike
    milliseconds retry_after{0};
    std::string would_deny;
  };

  [[nodiscard]] Answer reserve(const Ask& ask, SystemTime now);
  /// Nothing: it was raised.
  [[nodiscard]] std::optional<DenialKind> extend(Call& call, std::span<const Scope* const> scopes,
                                                 NanoUsd total) const;
  void settle(Call& call, std::span<const Scope* const> scopes, SystemTime now,
              std::uint64_t tokens, NanoUsd charged);

  /// Somebody read the buckets: what drained until now drained at this rate, whatever a reload
  /// says afterwards.
  void look(const Scope& scope, SystemTime now);

  [[nodiscard]] NanoUsd spent(const Scope& scope, const BudgetRule& rule, SystemTime at) const;
  [[nodiscard]] NanoUsd held(const Scope& scope, const BudgetRule& rule, SystemTime at) const;
  [[nodiscard]] std::uint64_t running(const Scope& scope) const;

 private:
  struct Drop {
    SystemTime at;
    std::uint64_t rate;   // of the limit then
    std::int64_t amount;  // negative: given back
  };
  using Drops = std::vector<Drop>;

  [[nodiscard]] static __int128 level(const Drops& drops, std::uint64_t rate, SystemTime now);
  [[nodiscard]] static microseconds wait(const Drops& drops, std::uint64_t rate,
                                         const LimitRule& rule, std::uint64_t amount,
                                         SystemTime now);
  [[nodiscard]] std::optional<Answer> limits(const Ask& ask, SystemTime now,
                                             std::string& would_deny);
  [[nodiscard]] std::expected<NanoUsd, Answer> budgets(const Ask& ask, SystemTime now,
                                                       std::string& would_deny) const;

  std::list<Call> calls_;
  std::map<std::string, Drops> requests_, tokens_;
};

}  // namespace tollgate::store_tests
