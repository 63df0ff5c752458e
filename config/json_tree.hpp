// A piece of YAML as JSON text, for values that go into requests as they are (`defaults`).
// Called by the reader. Pure.
#pragma once
#include <optional>
#include <string>

#include "config/node.hpp"

namespace tollgate::config {

/// Compact JSON. Numbers that JSON does not know (012, .5, .inf) are reported.
[[nodiscard]] std::optional<std::string> to_json(const Node& node, Problems& problems);

}  // namespace tollgate::config
