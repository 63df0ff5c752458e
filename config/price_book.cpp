#include "config/price_book.hpp"

#include <algorithm>
#include <tuple>

namespace tollgate::config {
namespace {

void overlay(std::optional<NanoUsd>& rate, const std::optional<NanoUsd>& with) {
  if (with) rate = with;
}

void overlay(Rates& rates, const Rates& with) {
  overlay(rates.input, with.input);
  overlay(rates.cache_read, with.cache_read);
  overlay(rates.cache_write, with.cache_write);
  overlay(rates.cache_write_1h, with.cache_write_1h);
  overlay(rates.output, with.output);
  overlay(rates.reasoning, with.reasoning);
  overlay(rates.audio_input, with.audio_input);
  overlay(rates.audio_output, with.audio_output);
}

/// What the model takes is the same in every tier: it need not be said again.
void fill_facts(PriceRow& row, const PriceRow& from) {
  const auto fill = [](auto& fact, const auto& known) {
    if (!fact) fact = known;
  };
  fill(row.context_window, from.context_window);
  fill(row.max_output, from.max_output);
  fill(row.overhead, from.overhead);
  fill(row.output_tps, from.output_tps);
}

/// What a row's tokens can cost at most: its output first, then its input.
std::pair<NanoUsd, NanoUsd> dearness(const PriceRow& row) {
  NanoUsd output = row.rates.output.value_or(0), input = row.rates.input.value_or(0);
  for (const LengthTier& tier : row.tiers) {
    output = std::max(output, tier.rates.output.value_or(0));
    input = std::max(input, tier.rates.input.value_or(0));
  }
  return {output, input};
}

}  // namespace

Rates PriceRow::rates_for(std::uint64_t prompt_tokens) const {
  Rates out = rates;
  for (const LengthTier& tier : tiers) {
    if (prompt_tokens > tier.above) overlay(out, tier.rates);
  }
  return out;
}

PriceBook::PriceBook(std::vector<PriceRow> rows) : rows_(std::move(rows)) {
  std::map<std::pair<std::string, std::string>, Indices> by_prefix;
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    const PriceRow& row = rows_[i];
    Provider& provider = providers_[row.provider];
    provider.by_output.push_back(i);
    if (row.model.ends_with('*')) {
      by_prefix[{row.provider, row.model.substr(0, row.model.size() - 1)}].push_back(i);
    } else {
      provider.exact[row.model].push_back(i);
    }
  }
  for (auto& [key, indices] : by_prefix)
    providers_[key.first].prefixes.push_back({key.second, std::move(indices)});
  for (auto& [name, provider] : providers_)
    finish(provider);
}

void PriceBook::sort_rows(Indices& rows) const {
  std::ranges::sort(rows, [&](std::uint32_t a, std::uint32_t b) {
    const PriceRow &left = rows_[a], &right = rows_[b];
    // Descending in date and place: the later row is found first.
    return std::tie(left.service_tier, right.from, b) < std::tie(right.service_tier, left.from, a);
  });
}

void PriceBook::fill_tiers(const Indices& rows) {
  if (rows.empty() || !rows_[rows.front()].service_tier.empty()) return;
  for (const std::uint32_t row : rows) {
    if (!rows_[row].service_tier.empty()) fill_facts(rows_[row], rows_[rows.front()]);
  }
}

void PriceBook::finish(Provider& provider) {
  for (auto& [model, rows] : provider.exact) {
    sort_rows(rows);
    fill_tiers(rows);
  }
  auto& prefixes = provider.prefixes;  // sorted: they come out of a map
  for (std::uint32_t i = 0; i < prefixes.size(); ++i) {
    sort_rows(prefixes[i].rows);
    fill_tiers(prefixes[i].rows);
    std::uint32_t parent = i == 0 ? none : i - 1;
    while (parent != none && !prefixes[i].text.starts_with(prefixes[parent].text))
      parent = prefixes[parent].parent;
    prefixes[i].parent = parent;
  }
  std::ranges::sort(provider.by_output, std::greater{},
                    [&](std::uint32_t row) { return std::pair(dearness(rows_[row]), row); });
}

const PriceBook::Provider* PriceBook::provider_of(std::string_view name) const {
  const auto found = providers_.find(name);
  return found == providers_.end() ? nullptr : &found->second;
}

const PriceRow* PriceBook::find(std::string_view provider, std::string_view kind,
                                std::string_view model, std::string_view service_tier,
                                SystemTime when) const {
  const PriceRow* out = nullptr;
  const auto look = [&](const Indices& rows) {
    for (const std::uint32_t row : rows) {
      if (rows_[row].service_tier != service_tier || !begun(row, when)) continue;
      out = &rows_[row];
      return true;
    }
    return false;
  };
  for (const std::string_view name : {provider, kind}) {
    const Provider* found = provider_of(name);
    if (found != nullptr && walk(*found, model, look)) return out;
    if (provider == kind) break;
  }
  return nullptr;
}

std::vector<const PriceRow*> PriceBook::all_tiers(std::string_view provider, std::string_view kind,
                                                  std::string_view model, SystemTime when) const {
  struct {
    std::vector<const PriceRow*> rows;
    [[nodiscard]] bool has(std::string_view tier) const {
      return std::ranges::any_of(rows, [&](auto* row) { return row->service_tier == tier; });
    }
    void add(const PriceRow& row) { rows.push_back(&row); }
  } out;
  collect_tiers(provider, kind, model, when, out);
  std::ranges::sort(out.rows, {}, &PriceRow::service_tier);
  return std::move(out.rows);
}

bool PriceBook::superseded(const Provider& provider, const PriceRow& row, SystemTime when) const {
  // Its own name, `*` included, leads to the rows that stand beside it.
  const PriceRow* holds = nullptr;
  const auto look = [&](const Indices& rows) {
    for (const std::uint32_t other : rows) {
      const PriceRow& candidate = rows_[other];
      if (candidate.model != row.model || candidate.service_tier != row.service_tier) continue;
      if (holds == nullptr && begun(other, when)) holds = &candidate;
    }
    return holds != nullptr;
  };
  const std::string_view model = row.model;
  walk(provider, model.substr(0, model.size() - (model.ends_with('*') ? 1 : 0)), look);
  return holds != &row;
}

const PriceRow* PriceBook::dearest(std::string_view provider, std::string_view kind,
                                   SystemTime when) const {
  for (const std::string_view name : {provider, kind}) {
    const Provider* found = provider_of(name);
    if (found == nullptr) continue;
    for (const std::uint32_t row : found->by_output) {
      if (begun(row, when) && !superseded(*found, rows_[row], when)) return &rows_[row];
    }
  }
  return nullptr;
}

}  // namespace tollgate::config
