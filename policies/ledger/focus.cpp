#include <array>
#include <cstdio>

#include "policies/ledger/export.hpp"
#include "policies/ledger/row_text.hpp"

namespace tollgate::ledger {
namespace {

/// One row: what an attempt used of one kind, and what that cost.
struct Use {
  std::string_view meter, unit;
  std::uint64_t quantity;
  NanoUsd cost;
};

std::array<Use, 11> uses_of(const AttemptOutcome& attempt) {
  const Usage& used = attempt.usage;
  const CostByKind& cost = attempt.cost_by_kind;
  const auto less = [](std::uint64_t all, std::uint64_t part) { return all - std::min(all, part); };
  // Kinds without a price of their own are within input, cache writes or output.
  const std::uint64_t hour = cost.cache_write_1h != 0 ? used.cache_write_1h : 0;
  const std::uint64_t thought = cost.reasoning != 0 ? used.reasoning : 0;
  const std::uint64_t heard = cost.audio_input != 0 ? used.audio_input : 0;
  const std::uint64_t said = cost.audio_output != 0 ? used.audio_output : 0;
  const std::uint64_t pictures = cost.images != 0 ? used.images : 0;
  const std::uint64_t tools = cost.tools != 0 ? used.web_searches + used.web_fetches : 0;
  return {Use{"Input Tokens", "Tokens", less(used.input, heard), cost.input},
          Use{"Cache Read Tokens", "Tokens", used.cache_read, cost.cache_read},
          Use{"Cache Write Tokens", "Tokens", less(used.cache_write, hour), cost.cache_write},
          Use{"Cache Write 1h Tokens", "Tokens", hour, cost.cache_write_1h},
          Use{"Output Tokens", "Tokens", less(used.output, thought + said), cost.output},
          Use{"Reasoning Tokens", "Tokens", thought, cost.reasoning},
          Use{"Audio Input Tokens", "Tokens", heard, cost.audio_input},
          Use{"Audio Output Tokens", "Tokens", said, cost.audio_output},
          Use{"Images", "Images", pictures, cost.images},
          Use{"Requests", "Requests", cost.requests != 0 ? 1U : 0U, cost.requests},
          Use{"Tool Uses", "Uses", tools, cost.tools}};
}

std::string month_of(SystemTime time, int later) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  const auto month = day.year() / day.month() + std::chrono::months(later);
  return timestamp(std::chrono::sys_days(month / 1));
}

/// Dollars a unit, as far as a rounded cost can tell.
std::string unit_price(const Use& use) {
  if (use.quantity == 0) return {};
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.12f",
                static_cast<double>(use.cost) / 1e9 / static_cast<double>(use.quantity));
  return text.data();
}

std::string focus_tags(const Outcome& call) {
  HeaderList tags = call.tags;
  tags.emplace_back("tollgate:key", call.key_id);
  if (!call.user.empty()) tags.emplace_back("tollgate:user", call.user);
  tags.emplace_back("tollgate:model", call.model);
  return tags_json(tags);
}

constexpr std::string_view columns =
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,BillingPeriodStart,"
    "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeFrequency,"
    "ChargeDescription,ProviderName,PublisherName,InvoiceIssuerName,ServiceCategory,ServiceName,"
    "SkuId,SkuMeter,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,ListUnitPrice,"
    "PricingCategory,ResourceId,SubAccountId,SubAccountName,Tags\n";

void write_use(const Outcome& call, const AttemptOutcome& attempt, const Use& use,
               std::string& out) {
  const std::string cost = attempt.cost ? usd_text(use.cost) : "";
  const std::string quantity = std::to_string(use.quantity);
  const std::string meter(use.meter), unit(use.unit);
  // A period holds its first instant and not its last.
  const SystemTime end =
      std::max(attempt.ended_at, attempt.started_at + std::chrono::microseconds(1));
  const std::array<std::string, 29> fields{
      cost,
      cost,
      cost,
      cost,
      "USD",
      month_of(attempt.started_at, 0),
      month_of(attempt.started_at, 1),
      timestamp(attempt.started_at),
      timestamp(end),
      "Usage",
      "Usage-Based",
      meter + " of " + attempt.upstream_model,
      attempt.provider,
      attempt.provider,
      attempt.provider,
      "AI and Machine Learning",
      call.endpoint == Endpoint::embeddings ? "Embeddings" : "Text generation",
      attempt.upstream_model,
      meter,
      quantity,
      unit,
      quantity,
      unit,
      attempt.cost ? unit_price(use) : "",
      "Standard",
      call.request_id,
      call.tenant,
      call.tenant,
      focus_tags(call)};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    append_csv(out, fields[i]);
  }
  out += '\n';
}

}  // namespace

std::string focus_head() { return std::string(columns); }

void export_focus(const Outcome& call, std::string& out) {
  for (const AttemptOutcome& attempt : call.attempts) {
    for (const Use& use : uses_of(attempt)) {
      if (use.quantity > 0 || use.cost != 0) write_use(call, attempt, use, out);
    }
  }
}

}  // namespace tollgate::ledger
