// What an ended attempt is charged (money.md M11, M12): the provider's figures where they came, and
// where they did not, what it can have cost at most by all that was seen of it. Pure.
#pragma once
#include <chrono>
#include <optional>

#include "policies/money/bound.hpp"
#include "policies/money/cost.hpp"
#include "policies/money/tariff.hpp"

namespace tollgate::policies {

/// How an attempt ended.
struct AttemptFacts {
  bool fully_written = false;  ///< the whole request went upstream
  bool head_seen = false;      ///< a status came
  int http_status = 0;
  bool complete_reply = false;  ///< read to its end, good or bad
  bool content_filter_refusal = false;
  bool stops_billing = true;    ///< once the connection closes: `stops_billing_on_close(kind)`
  bool bills_timeouts = false;  ///< a 408 costs its input: `bills_timeouts(kind, host)`
  std::uint64_t received_text_bytes = 0;  ///< text, reasoning and tool arguments
  std::chrono::nanoseconds since_sent{0};
  const Usage* usage = nullptr;  ///< nullptr: none came
  /// What the provider had counted when the reply broke off; the two above are of what came behind.
  const Usage* so_far = nullptr;
};

struct Settled {
  std::optional<NanoUsd> cost;  ///< absent: the price is unknown
  NanoUsd charged = 0;
  CostByKind by_kind;        ///< of what is known; adds up to `cost`
  bool estimated = false;    ///< not the provider's figures
  std::uint64_t output = 0;  ///< tokens that are charged, where it had counted some
  NanoUsd overrun = 0;       ///< above the bound (M7)
};

/// Whether the provider may have billed the attempt at all.
[[nodiscard]] bool may_be_billed(const AttemptFacts& facts);

/// `named`: the tariff of the model that the reply named, where that is another one than was asked
/// for (`same_model`): the dearer of the two is charged, as far as the other's price is known (M6).
[[nodiscard]] Settled settle_attempt(const AttemptFacts& facts, const Bound& bound,
                                     const Tariff& tariff, const Tariff* named = nullptr);

}  // namespace tollgate::policies
