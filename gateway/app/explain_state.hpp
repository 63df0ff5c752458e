// What `explain` adds of a gateway that runs: how each target fares, by its /admin/targets. Pure.
// Called by explain.cpp.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::app {

/// A line for each key (most have one) of the target that `model` of this file has at `provider`.
/// `targets` is the reply of /admin/targets; none where it does not know that target.
[[nodiscard]] std::vector<std::string> state_lines(std::string_view targets, std::string_view model,
                                                   std::string_view provider,
                                                   std::string_view upstream_model);

}  // namespace tollgate::app
