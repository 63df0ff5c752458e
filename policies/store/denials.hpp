// RememberedDenials: what was denied a moment ago is denied again without asking Redis, for calls
// at least as large, until a retry could help, for a few seconds at most (money.md M9). Held money
// is never remembered. Owned by a worker's store; its thread.
#pragma once
#include <span>
#include <unordered_map>
#include <vector>

#include "gateway/core/store.hpp"

namespace tollgate::policies {

struct RedisAccount;

class RememberedDenials {
 public:
  /// The answer to a call that asks for no less than one that was denied, or nothing.
  [[nodiscard]] std::optional<Denial> find(const Ask& ask, SystemTime now);
  void remember(const Ask& ask, const Denial& denial, SystemTime now,
                std::chrono::milliseconds longest);
  /// A call in these scopes has ended: what it gave back may do for another.
  void forget(std::span<const Scope* const> scopes);
  void clear() { by_account_.clear(); }
  [[nodiscard]] bool empty() const { return by_account_.empty(); }

 private:
  struct One {
    Denial denial;
    std::optional<std::string> user;  ///< whose bucket it was
    std::uint64_t tokens = 0;
    NanoUsd bound = 0, estimate = 0, floor = 0;
    SystemTime until{}, retry_at{};
    [[nodiscard]] bool covers(const Ask& ask) const;
  };
  static constexpr std::size_t accounts_max = 10'000, each_max = 8;
  std::unordered_map<const RedisAccount*, std::vector<One>> by_account_;
};

}  // namespace tollgate::policies
