// explain: where a model's calls would go, what they cost there and which limits hold, as text for
// an operator. Pure: no network, no cost.
// Called by the command line.
#pragma once
#include <string>

#include "config/config.hpp"
#include "gateway/core/clock.hpp"

namespace tollgate::app {

struct ExplainQuestion {
  std::string model;
  std::string tenant;   ///< empty: of nobody in particular
  SystemTime now{};     ///< which prices hold
  std::string targets;  ///< what a running gateway says of its targets; empty: nothing
  std::string silence;  ///< why it says nothing
};
struct Explanation {
  bool found = false;  ///< the model, and the tenant where one was named
  std::string text;    ///< else one sentence with the likely spelling
};
[[nodiscard]] Explanation explain(const config::Config& config, const ExplainQuestion& question);

}  // namespace tollgate::app
