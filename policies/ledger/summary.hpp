// Summary: calls, tokens and dollars by what the operator asks for, as an aligned table. Used by
// `tollgate ledger summary`. One thread.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate::ledger {

class Summary {
 public:
  /// `by`: names by comma: tenant, key, user, model, provider, endpoint, status, day, `tag:name`.
  static Result<Summary> by(std::string_view by);

  void add(const Outcome& call);
  /// Dearest first, with a last line for all; empty: no call was added.
  [[nodiscard]] std::string table() const;

 private:
  struct Line {
    std::uint64_t calls = 0, input = 0, output = 0, unpriced = 0;
    NanoUsd cost = 0, charged = 0;
  };
  /// What one row of the ledger adds to a line.
  struct Share {
    std::uint64_t calls;
    const Usage& usage;
    std::optional<NanoUsd> cost;
    NanoUsd charged;
  };
  void add(const Outcome& call, const std::string& provider, const Share& share);
  static void add(Line& line, const Share& share);

  std::vector<std::string> by_;
  bool providers_ = false;  // one line for each attempt's provider
  std::map<std::vector<std::string>, Line> lines_;
  Line all_;
};

}  // namespace tollgate::ledger
