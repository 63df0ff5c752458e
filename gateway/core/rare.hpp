// Rare: an optional of something large that is seldom there (an Error, most of all), one pointer
// wide. What lives through a call has many of them: coroutine frames, promises, sessions. Any
// thread; a plain value.
#pragma once
#include <memory>
#include <utility>

namespace tollgate {

template <class T>
class Rare {
 public:
  Rare() = default;
  Rare(T value)  // NOLINT(google-explicit-constructor): as std::optional's
      : held_(std::make_unique<T>(std::move(value))) {}
  Rare(const Rare& other) : held_(other.held_ ? std::make_unique<T>(*other.held_) : nullptr) {}
  Rare(Rare&& other) noexcept = default;
  Rare& operator=(Rare other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }
  ~Rare() = default;

  [[nodiscard]] bool has_value() const noexcept { return held_ != nullptr; }
  explicit operator bool() const noexcept { return has_value(); }
  T& operator*() noexcept { return *held_; }
  const T& operator*() const noexcept { return *held_; }
  T* operator->() noexcept { return held_.get(); }
  const T* operator->() const noexcept { return held_.get(); }
  T& emplace(T value) {
    *this = Rare(std::move(value));
    return *held_;
  }
  void reset() noexcept { held_.reset(); }

 private:
  std::unique_ptr<T> held_;
};

}  // namespace tollgate
