#include "routing/adaptive_limit.hpp"

#include <algorithm>
#include <cmath>

namespace tollgate::routing {
namespace {

constexpr std::uint32_t warm_up = 10;  // samples that are averaged evenly
constexpr double memory = 600;         // samples that the usual time remembers
constexpr double tolerance = 1.5;      // how much slower than usual is no trouble
constexpr double step_share = 0.2;     // of the way to the new limit that one sample goes
constexpr double failure_factor = 0.9;

}  // namespace

void AdaptiveLimit::observe(std::chrono::nanoseconds took, std::uint32_t running,
                            std::uint32_t ceiling) {
  const auto now = std::max(static_cast<double>(took.count()), 1.0);
  seen_ = std::min(seen_ + 1, warm_up);
  const double weight = seen_ < warm_up ? 1.0 / seen_ : 1.0 / memory;
  usual_ += (now - usual_) * weight;
  // After a hard time the average must not call everything fast for hundreds of calls.
  if (usual_ > 2 * now) usual_ *= 0.95;
  // Less than half in use says nothing about what more would do.
  if (2.0 * running < limit_) return;
  const double gradient = std::clamp(tolerance * usual_ / now, 0.5, 1.0);
  const double room = std::sqrt(limit_);  // to try whether more does no harm
  const double wanted = limit_ * gradient + room;
  limit_ += (wanted - limit_) * step_share;
  limit_ = std::clamp(limit_, least, ceiling > 0 ? std::min<double>(ceiling, most) : most);
}

void AdaptiveLimit::failed() { limit_ = std::max(limit_ * failure_factor, least); }

}  // namespace tollgate::routing
