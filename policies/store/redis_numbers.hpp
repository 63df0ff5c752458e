// What the Redis store and its scripts say to each other: whole numbers as doubles of eight bytes,
// which is what Lua counts in and reads fastest, in the order that each script's head names.
// Doubles are exact to 2^53, and a sum in nano-dollars may be larger: money goes as whole dollars
// and the nano-dollars beyond them. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/core/store.hpp"

namespace tollgate::policies {

/// The numbers of a script's second argument.
class RedisNumbers {
 public:
  void add(std::int64_t number);
  /// Makes room for so many more, that adding them one by one need not.
  void expect(std::size_t count) { text_.reserve(text_.size() + count * sizeof(double)); }
  /// In the place of the one that was added there.
  void replace(std::size_t place, std::int64_t number);
  /// What is beyond the signed numbers counts as their largest.
  void add_count(std::uint64_t count);
  void add_money(NanoUsd amount);
  void add_limits(const LimitRule& rule);
  /// All budgets of a scope, with their steps.
  void add_budgets(const Scope& scope);
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string text_;
};

/// The numbers that a script answered; what it left out reads as 0.
class RedisAnswer {
 public:
  explicit RedisAnswer(std::string text) : text_(std::move(text)) {}
  std::int64_t take();
  /// The first one, whatever was taken.
  [[nodiscard]] std::int64_t first() const;
  /// What is beyond the house's whole numbers counts as the largest.
  NanoUsd take_money();
  [[nodiscard]] bool at_end() const { return at_ + sizeof(double) > text_.size(); }

 private:
  [[nodiscard]] std::int64_t number_at(std::size_t at) const;
  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace tollgate::policies
