// LeanResult: std::expected with its error in memory of its own. A call passes dozens of results
// through its coroutines, each kept in some frame for as long as the call lasts; nearly all are
// good, and an Error is a quarter of a kilobyte. Behind Result (error.hpp). Any thread.
#pragma once
#include <concepts>
#include <expected>
#include <type_traits>
#include <utility>

#include "gateway/core/rare.hpp"

namespace tollgate {

/// What of std::expected does not depend on the value being there. One that was moved from has
/// neither value nor error to look at.
template <class T, class E>
class LeanResult {
 public:
  using value_type = T;
  using error_type = E;

  LeanResult() = default;
  template <class Value = T>
    requires(!std::is_void_v<T> && !std::same_as<std::remove_cvref_t<Value>, LeanResult> &&
             !std::same_as<std::remove_cvref_t<Value>, std::unexpected<E>> &&
             std::is_constructible_v<T, Value>)
  explicit(!std::is_convertible_v<Value, T>) LeanResult(Value&& value)
      : held_(std::in_place, std::forward<Value>(value)) {}
  LeanResult(std::unexpected<E> error)  // NOLINT(google-explicit-constructor)
      : held_(std::unexpect, std::move(error).error()) {}

  [[nodiscard]] bool has_value() const noexcept { return held_.has_value(); }
  explicit operator bool() const noexcept { return held_.has_value(); }

  decltype(auto) operator*() & noexcept { return *held_; }
  decltype(auto) operator*() const& noexcept { return *held_; }
  decltype(auto) operator*() && noexcept { return *std::move(held_); }
  auto* operator->() noexcept
    requires(!std::is_void_v<T>)
  {
    return &*held_;
  }
  const auto* operator->() const noexcept
    requires(!std::is_void_v<T>)
  {
    return &*held_;
  }
  decltype(auto) value() & { return held_.value(); }
  decltype(auto) value() const& { return held_.value(); }
  decltype(auto) value() && { return std::move(held_).value(); }
  template <class Other>
  T value_or(Other&& other) const& {
    return held_.value_or(std::forward<Other>(other));
  }
  template <class Other>
  T value_or(Other&& other) && {
    return std::move(held_).value_or(std::forward<Other>(other));
  }

  [[nodiscard]] E& error() & noexcept { return *held_.error(); }
  [[nodiscard]] const E& error() const& noexcept { return *held_.error(); }
  [[nodiscard]] E&& error() && noexcept { return std::move(*held_.error()); }

 private:
  std::expected<T, Rare<E>> held_;
};

}  // namespace tollgate
