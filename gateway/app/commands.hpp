// The command line: every command of the contract but what `serve` does once it runs.
// Called by main on the main thread.
#pragma once
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "gateway/app/serve.hpp"

namespace tollgate::app {

/// What a command works on; tests replace it.
struct CommandContext {
  std::ostream& out;
  std::ostream& err;
  config::Surroundings surroundings;
  std::function<int(const ServeOptions&)> serve;
};

/// Runs the command in `arguments` (without the program's name). Exit codes: 0; 1 where the
/// command's answer is no (errors in a file, an unknown model, unhealthy); 2 for a wrong command
/// line and for commands that this build does not have.
int run_command(std::vector<std::string> arguments, CommandContext& context);

}  // namespace tollgate::app
