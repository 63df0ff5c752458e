// Time points used across the house. Deadlines are steady; what people read is system time.
#pragma once
#include <chrono>

namespace tollgate {

using SteadyTime = std::chrono::steady_clock::time_point;
using SystemTime = std::chrono::system_clock::time_point;
inline constexpr SteadyTime never = SteadyTime::max();

/// Both clocks behind one port, so that tests inject time.
struct Clock {
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime steady() const { return std::chrono::steady_clock::now(); }
  [[nodiscard]] virtual SystemTime system() const { return std::chrono::system_clock::now(); }
};

}  // namespace tollgate
