// healthcheck: one GET, so that a container without curl can probe itself. Called by the command
// line, never by the running gateway.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace tollgate::app {

struct HealthTarget {
  config::HostPort address;
  std::string path = "/healthz";
  std::string token;  ///< sent as a bearer token; empty: none
};

/// `http://host[:port][/path]`; without a path /healthz.
[[nodiscard]] std::optional<HealthTarget> health_target(std::string_view url);
/// The metrics listener, which needs no token, else the admin listener.
[[nodiscard]] HealthTarget health_target(const config::Config& config);
/// Empty when the answer is 200, else what is wrong. Takes at most a few seconds.
[[nodiscard]] std::string ask_health(const HealthTarget& target);

}  // namespace tollgate::app
