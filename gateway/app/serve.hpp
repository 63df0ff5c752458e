// serve: the gateway in the foreground, from the first load to the last drained call.
// Called by the command line (commands.cpp) on the main thread, which becomes the control thread.
#pragma once
#include <optional>
#include <string>

#include "config/config.hpp"

namespace tollgate::app {

struct ServeOptions {
  std::optional<std::string> config;       ///< absent: the shipped default
  std::optional<config::HostPort> listen;  ///< replaces listen.http
};

/// Runs until SIGTERM or SIGINT; returns the exit code.
int serve(const ServeOptions& options);

}  // namespace tollgate::app
