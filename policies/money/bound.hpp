// Bound: the most that one attempt can cost (money.md M2 to M6). Pure: a request's facts and a
// tariff in, nano-dollars out. Facts are gathered once a call, from the client's request.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/error.hpp"
#include "gateway/core/money.hpp"
#include "gateway/wire/dialect.hpp"
#include "policies/money/hosts.hpp"
#include "policies/money/tariff.hpp"

namespace tollgate::policies {

/// A tool that the provider itself runs.
struct ProviderTool {
  std::string name;                       ///< as prices name it: `web_search`
  std::optional<std::uint64_t> max_uses;  ///< absent: unbounded
  bool takes_uses = false;                ///< says none, but the provider would take it
  bool by_options = false;                ///< asked for by `web_search_options`
};

/// What bounds need to know of a request. Found in one walk without decoding or copying: half a
/// microsecond for a short request, and a fifth of one for each further message.
struct RequestFacts {
  std::uint32_t prompts = 1;  ///< of /v1/completions; inputs of embeddings do not multiply
  std::uint32_t choices = 1;  ///< max(n, best_of)
  std::uint64_t messages = 1;
  bool tools_or_schema = false;
  std::optional<std::uint64_t> limit;  ///< largest of the output limits that the client gave
  std::uint64_t prediction_bytes = 0;
  std::uint64_t images = 0;   ///< in the request itself; those behind URLs are opaque
  bool opaque_input = false;  ///< PDFs, files, file_ids, URLs, audio: bounded by the window only
  bool audio_input = false, audio_output = false, image_output = false;
  bool cache_write_1h = false;
  bool embeddings = false;  ///< no output
  std::vector<ProviderTool> provider_tools;
  std::string service_tier;    ///< what was asked for; empty: default
  std::string unpriced_field;  ///< a field that may change the price in a way nobody knows (M6)
  bool may_be_cut = true;      ///< no tools, no structured output, no reasoning asked for (M9)
};
[[nodiscard]] RequestFacts facts_of(const wire::RequestView& view);

/// Where the request goes.
struct BoundTarget {
  std::string_view kind;
  std::string_view model;
  bool foreign_host =
      false;  ///< neither the kind's own host nor one of the table of providers (M3)
};

struct Bound {
  bool priced = false;       ///< false: the price is unknown; total is 0 unless estimated
  std::string unpriced;      ///< why not, for the client's 400 model_unpriced
  bool needs_limit = false;  ///< M4: neither the client nor the row bounds the output
  NanoUsd total = 0;         ///< the most it may cost
  NanoUsd input = 0;         ///< the part that no output limit changes (fees included)
  NanoUsd fixed_output = 0;  ///< of `input`: output outside the limit that is sent
  std::uint64_t input_tokens = 0;
  std::uint64_t output_limit = 0;  ///< tokens a choice; what to send upstream under a budget (M4)
  NanoUsd per_output_token = 0;    ///< nano-dollars a million tokens, all choices together
  NanoUsd output_rate = 0;         ///< of one choice: what a token of the output may cost
  std::uint64_t copies = 1;        ///< choices of all prompts
  /// The largest limit whose bound is within `money`, or 0 (M9).
  [[nodiscard]] std::uint64_t limit_within(NanoUsd money) const;
  /// Bound with that output limit.
  [[nodiscard]] NanoUsd with_limit(std::uint64_t limit) const;
};

/// `body_bytes`: of the body as it is sent to this target.
[[nodiscard]] Bound bound_of(const RequestFacts& facts, std::uint64_t body_bytes,
                             const BoundTarget& target, const Tariff& tariff);

}  // namespace tollgate::policies
