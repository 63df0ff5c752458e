// TokenEstimates: what a call will probably take, learned from what calls to the same model took:
// tokens of the prompt for each byte of the body, tokens of the output. For token buckets and soft
// budgets only; hard ones hold bounds. Shared by all workers, lock-free; a lost update costs a
// little accuracy and nothing else.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "gateway/core/event.hpp"
#include "policies/money/bound.hpp"

namespace tollgate::policies {

struct Estimate {
  std::uint64_t input = 0, output = 0;
  [[nodiscard]] std::uint64_t total() const { return input + output; }
};

class TokenEstimates {
 public:
  /// `output_limit` (0: none) is one choice's; `copies`: choices of all prompts, as in a bound.
  [[nodiscard]] Estimate estimate(std::string_view model, std::uint64_t body_bytes,
                                  std::uint64_t output_limit, std::uint64_t copies = 1) const;
  void learn(std::string_view model, std::uint64_t body_bytes, const Usage& usage,
             std::uint64_t copies = 1);

 private:
  struct Learned {
    std::atomic<std::uint32_t> tokens_per_kib{256};  // four bytes a token
    std::atomic<std::uint32_t> output{256};
  };
  // Two models that share a place share what is learned: a worse guess, no more.
  static constexpr std::size_t places = 256;
  std::array<Learned, places> learned_;
};

/// What the estimate costs at the bound's rates; never above the bound.
[[nodiscard]] NanoUsd estimated_cost(const Bound& bound, const Estimate& estimate);

}  // namespace tollgate::policies
