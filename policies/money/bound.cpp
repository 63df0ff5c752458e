#include "policies/money/bound.hpp"

#include <algorithm>

#include "gateway/core/tool_uses.hpp"

namespace tollgate::policies {
namespace {

using config::LengthTier;
using config::PriceRow;
using config::Rates;
using Wide = unsigned __int128;

constexpr std::uint64_t million = 1'000'000;

NanoUsd capped(Wide nano) {
  return nano > static_cast<Wide>(nano_max) ? nano_max : static_cast<NanoUsd>(nano);
}

/// Tokens at a rate, rounded up.
NanoUsd cost(std::uint64_t tokens, NanoUsd rate) {
  return capped((static_cast<Wide>(tokens) * static_cast<Wide>(rate) + million - 1) / million);
}

constexpr std::uint64_t unknown = UINT64_MAX;
constexpr std::uint64_t tokens_most = UINT64_MAX - 1;

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(std::min<Wide>(static_cast<Wide>(a) * b, tokens_most));
}

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(std::min<Wide>(static_cast<Wide>(a) + b, tokens_most));
}

/// M2: which rows this request could be charged by. Without a tier, and with `auto`, the provider
/// chooses; what was asked for may fall back to the default. Batches have an endpoint of their own.
bool could_apply(const PriceRow& row, std::string_view asked) {
  if (row.service_tier == "batch") return false;
  if (asked.empty() || asked == "auto") return true;
  return is_default_tier(row.service_tier) || row.service_tier == asked;
}

/// The dearest rates that the request could be charged at.
struct Dearest {
  std::optional<NanoUsd> input, output;
  NanoUsd fees = 0;

  void raise(std::optional<NanoUsd>& to, std::optional<NanoUsd> rate) {
    if (rate) to = std::max(to.value_or(0), *rate);
  }
  void take(const Rates& rates, const RequestFacts& facts) {
    raise(input, rates.input);
    raise(input, rates.cache_read);
    raise(input, rates.cache_write);
    if (facts.cache_write_1h) raise(input, rates.cache_write_1h);
    if (facts.audio_input) raise(input, rates.audio_input);
    raise(output, rates.output);
    raise(output, rates.reasoning);
    if (facts.audio_output) raise(output, rates.audio_output);
  }
};

Dearest dearest_of(const RequestFacts& facts, std::uint64_t input_tokens, const Tariff& tariff) {
  Dearest dearest;
  for (const PriceRow* row : tariff.rows) {
    if (!could_apply(*row, facts.service_tier)) continue;
    dearest.take(row->rates, facts);
    for (const LengthTier& tier : row->tiers) {
      if (input_tokens > tier.above) dearest.take(tier.rates, facts);
    }
    NanoUsd fees = row->request.value_or(0);
    // Models that paint do so unasked, too.
    const std::uint64_t pictures = times(facts.prompts, std::max(facts.choices, 1U));
    if (row->image) {
      fees =
          add_saturated(fees, capped(static_cast<Wide>(*row->image) * static_cast<Wide>(pictures)));
    }
    dearest.fees = std::max(dearest.fees, fees);
  }
  return dearest;
}

/// Tokens of one picture that stands in the request, at most, as providers document it.
std::uint64_t image_tokens(const BoundTarget& target) {
  // gpt-4o-mini: 2,833 and 5,667 a tile, at most eight of them.
  if (target.model.starts_with("gpt-4o-mini")) return 48'169;
  if (target.kind == "anthropic") return 5'000;
  if (target.kind == "gemini") return 258 * 64;
  return 6'000;
}

/// M3. `unknown`: only the window bounds it, and that is not known.
std::uint64_t input_bound(const RequestFacts& facts, std::uint64_t body_bytes,
                          const BoundTarget& target, const Tariff& tariff) {
  const auto window = tariff.context_window();
  if (facts.opaque_input) return window.value_or(unknown);
  std::uint64_t overhead = 64 + 16 * facts.messages + (facts.tools_or_schema ? 1024 : 0);
  if (target.foreign_host) overhead = 2048;
  if (const auto own = tariff.overhead()) overhead = *own;
  const std::uint64_t tokens =
      add(add(body_bytes, overhead), times(facts.images, image_tokens(target)));
  return window ? std::min(tokens, *window) : tokens;
}

Bound unpriced(std::string why) {
  Bound bound;
  bound.unpriced = std::move(why);
  return bound;
}

/// M2: the dearest of what a use may cost.
std::optional<NanoUsd> tool_price(const std::string& tool, const RequestFacts& facts,
                                  const Tariff& tariff) {
  std::optional<NanoUsd> dearest;
  for (const PriceRow* row : tariff.rows) {
    if (!could_apply(*row, facts.service_tier)) continue;
    for (const auto& [name, price] : row->tools) {
      if (name == tool) dearest = std::max(dearest.value_or(0), price);
    }
  }
  return dearest;
}

/// What the request says, or what is sent with it where it says nothing.
std::optional<std::uint64_t> uses_of(const ProviderTool& tool, const BoundTarget& target) {
  if (!tool.max_uses && tool.takes_uses && target.kind == "anthropic") return usual_tool_uses;
  return tool.max_uses;
}

/// M5: a provider's own tool is priced with a price and a number of uses only.
std::string tool_problem(const RequestFacts& facts, const BoundTarget& target, const Tariff& tariff,
                         std::uint64_t& uses, NanoUsd& fees) {
  for (const ProviderTool& tool : facts.provider_tools) {
    // Options of the search that such a model does anyway, for the fee of a request.
    if (tool.by_options && searches_by_itself(target.model)) continue;
    const auto price = tool_price(tool.name, facts, tariff);
    if (!price) return "the tool '" + tool.name + "' has no price.";
    const auto most = uses_of(tool, target);
    if (!most) return "the tool '" + tool.name + "' has no max_uses.";
    if (!tariff.context_window() || !tariff.max_output()) {
      return "the tool '" + tool.name + "' needs a known context window and largest output.";
    }
    uses = add(uses, *most);
    fees = add_saturated(fees, capped(static_cast<Wide>(*most) * static_cast<Wide>(*price)));
  }
  return {};
}

/// M5: what a model finds by itself is in no request. Its price is known where a request has a fee.
std::string search_problem(const BoundTarget& target, const Tariff& tariff) {
  const bool fee = std::ranges::any_of(
      tariff.rows, [](const PriceRow* row) { return row->request.has_value(); });
  if (fee && tariff.context_window()) return {};
  return "the model '" + std::string(target.model) +
         "' searches by itself, and has no price for a request and a context window.";
}

/// M12: speech in the reply has a price of its own or none, but where output is free.
bool speech_unpriced(const RequestFacts& facts, const Tariff& tariff) {
  const auto prices = [](const PriceRow* row) { return row->rates.audio_output.has_value(); };
  const auto costs = [](const PriceRow* row) { return row->rates.output.value_or(0) > 0; };
  return facts.audio_output && std::ranges::none_of(tariff.rows, prices) &&
         std::ranges::any_of(tariff.rows, costs);
}

/// What makes the price unknown; empty: nothing.
std::string problem(const RequestFacts& facts, const BoundTarget& target, const Tariff& tariff,
                    bool searches) {
  if (tariff.rows.empty()) return "the model '" + std::string(target.model) + "' has no price.";
  if (!facts.unpriced_field.empty()) {
    return "the field '" + facts.unpriced_field + "' may change the price.";
  }
  const auto paints = [](const PriceRow* row) { return row->image.has_value(); };
  if (facts.image_output && std::ranges::none_of(tariff.rows, paints)) {
    return "pictures of the model '" + std::string(target.model) + "' have no price.";
  }
  if (speech_unpriced(facts, tariff)) {
    return "speech of the model '" + std::string(target.model) + "' has no price.";
  }
  return searches ? search_problem(target, tariff) : std::string();
}

/// Output tokens and what they cost, once the input's share of the bound stands.
struct OutputBound {
  const RequestFacts& facts;
  const BoundTarget& target;
  std::optional<std::uint64_t> largest;
  std::uint64_t uses = 0;

  /// No limit that could be sent bounds the output.
  [[nodiscard]] bool unlimited() const { return uses > 0 || reasons_outside_limit(target.model); }
  void add_to(Bound& bound) const {
    bound.copies = times(facts.prompts, std::max(facts.choices, 1U));
    bound.fixed_output = cost(facts.prediction_bytes, bound.output_rate);
    bound.output_limit = facts.limit.value_or(largest.value_or(0));
    if (unlimited()) {
      const std::uint64_t all = std::max(bound.output_limit, largest.value_or(0));
      const std::uint64_t tokens = times(times(all, bound.copies), add(uses, 1));
      bound.fixed_output = add_saturated(bound.fixed_output, cost(tokens, bound.output_rate));
    } else {
      bound.needs_limit = bound.output_limit == 0 && bound.output_rate > 0;
      bound.per_output_token =
          capped(static_cast<Wide>(bound.output_rate) * static_cast<Wide>(bound.copies));
    }
    bound.input = add_saturated(bound.input, bound.fixed_output);
  }
};

}  // namespace

NanoUsd Bound::with_limit(std::uint64_t limit) const {
  return add_saturated(input, cost(limit, per_output_token));
}

std::uint64_t Bound::limit_within(NanoUsd money) const {
  if (money < input) return 0;
  if (per_output_token == 0) return output_limit;
  const Wide tokens =
      static_cast<Wide>(money - input) * million / static_cast<Wide>(per_output_token);
  return static_cast<std::uint64_t>(std::min<Wide>(tokens, output_limit));
}

Bound bound_of(const RequestFacts& facts, std::uint64_t body_bytes, const BoundTarget& target,
               const Tariff& tariff) {
  const bool searches = searches_by_itself(target.model);
  if (auto why = problem(facts, target, tariff, searches); !why.empty())
    return unpriced(std::move(why));
  std::uint64_t uses = 0;
  NanoUsd tool_fees = 0;
  if (auto why = tool_problem(facts, target, tariff, uses, tool_fees); !why.empty())
    return unpriced(why);
  Bound bound;
  bound.input_tokens = input_bound(facts, body_bytes, target, tariff);
  if (searches) bound.input_tokens = *tariff.context_window();
  if (uses > 0) bound.input_tokens = times(*tariff.context_window(), add(uses, 1));
  const Dearest dearest = dearest_of(facts, bound.input_tokens, tariff);
  if (!dearest.input || (!dearest.output && !facts.embeddings)) {
    return unpriced("the model '" + std::string(target.model) + "' has no complete price.");
  }
  if (bound.input_tokens == unknown && *dearest.input > 0) {
    return unpriced("its files or URLs can only be bounded by a context window that is not known.");
  }
  const OutputBound output{facts, target, tariff.max_output(), uses};
  bound.output_rate = facts.embeddings ? 0 : *dearest.output;
  if (output.unlimited() && !output.largest && bound.output_rate > 0) {
    return unpriced("the model '" + std::string(target.model) +
                    "' reasons outside any limit, and its largest output is not known.");
  }
  bound.priced = true;
  if (bound.input_tokens == unknown) bound.input_tokens = body_bytes;
  bound.input = add_saturated(cost(bound.input_tokens, *dearest.input),
                              add_saturated(dearest.fees, tool_fees));
  if (!facts.embeddings) output.add_to(bound);
  bound.total = bound.with_limit(bound.output_limit);
  return bound;
}

}  // namespace tollgate::policies
