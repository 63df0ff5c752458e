// Time points used across the house. Deadlines are steady; what people read is system time.
#pragma once
#include <chrono>
#include <cstdint>

namespace tollgate {

using SteadyTime = std::chrono::steady_clock::time_point;
using SystemTime = std::chrono::system_clock::time_point;
inline constexpr SteadyTime never = SteadyTime::max();

/// Microseconds since the epoch, as stores and rows count time; and back.
[[nodiscard]] inline std::int64_t micros_of(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}
[[nodiscard]] inline SystemTime time_of(std::int64_t micros) {
  return SystemTime(std::chrono::microseconds(micros));
}

/// Seconds since the epoch, as replies name their time.
[[nodiscard]] inline std::int64_t unix_seconds(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// Both clocks behind one port, so that tests inject time.
struct Clock {
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime steady() const { return std::chrono::steady_clock::now(); }
  [[nodiscard]] virtual SystemTime system() const { return std::chrono::system_clock::now(); }
};

}  // namespace tollgate
