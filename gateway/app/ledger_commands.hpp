// What `tollgate ledger export|summary|verify` do once their options are read: they look at the
// books of a configuration and change nothing. Called by the commands, on the main thread.
#pragma once
#include <iosfwd>
#include <string>

#include "config/config.hpp"

namespace tollgate::app {

struct LedgerQuestion {
  std::string format = "jsonl";  ///< csv, jsonl, focus
  std::string from, to;          ///< a day or RFC 3339; empty: no end
  std::string since = "7d";      ///< `7d`, or a time as `from`
  std::string by = "tenant,model";
};

/// Rows of calls that began in [from, to). Exit code: 0; 1 where the books cannot be read; 2 for an
/// option that means nothing.
int ledger_export(const config::Config& config, const LedgerQuestion& question, std::ostream& out,
                  std::ostream& err);
/// Sums as a table; exit codes as above.
int ledger_summary(const config::Config& config, const LedgerQuestion& question, std::ostream& out,
                   std::ostream& err);
/// Whether rows, attempts and sums agree (M30). Exit code 1: they do not.
int ledger_verify(const config::Config& config, std::ostream& out, std::ostream& err);

}  // namespace tollgate::app
