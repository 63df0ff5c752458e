// IdSource: request ids. Ours and unguessable: they key rows and reservations, so a client's own id
// is never used. One source a worker, on its thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "gateway/core/clock.hpp"

namespace tollgate::app {

class IdSource {
 public:
  IdSource();  ///< seeds from the system's random source
  /// A UUID of version 7: ordered by time, and of the one form that every provider takes as
  /// x-request-id (some servers answer 400 to an id that is no UUID).
  std::string next(SystemTime now);
  /// For choices that must differ from call to call; no secret.
  std::uint64_t random();

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace tollgate::app
