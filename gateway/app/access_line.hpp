// AccessLine: what the access log says of one call: a JSON object on a line of its own, its keys
// named as the ledger's. One for each worker, which renders on its thread into memory that is kept.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "gateway/core/outcome.hpp"
#include "gateway/wire/json_text.hpp"

namespace tollgate::app {

class AccessLine {
 public:
  /// The line with its newline; valid until the next call.
  [[nodiscard]] std::string_view render(const Outcome& outcome);

 private:
  void write_who(const Outcome& outcome);
  void write_target(const Outcome& outcome);
  void write_end(const Outcome& outcome);
  void write_usage(const Outcome& outcome);
  void write_money(const Outcome& outcome);
  void write_measures(const Outcome& outcome);
  void write_tags(const HeaderList& tags);
  void write_attempts(const std::vector<AttemptOutcome>& attempts);
  void write_attempt(const AttemptOutcome& attempt);
  void write_time(SystemTime time);

  wire::JsonText text_;
  /// "2026-11-24T16:30:30." of the second that was written last: most times share it.
  std::array<char, 20> second_text_{};
  std::int64_t second_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace tollgate::app
