#include "policies/money/tariff.hpp"

#include <algorithm>

#include "config/load.hpp"

namespace tollgate::policies {
namespace {

using config::PriceBook;
using config::PriceRow;
using Unknown = decltype(config::PricesConfig::unknown);

/// Gathers the rows of several sources; the first that names a tier has it.
struct Gather {
  TariffRows found;
  [[nodiscard]] bool has(std::string_view tier) const {
    return std::ranges::any_of(found,
                               [&](const PriceRow* row) { return row->service_tier == tier; });
  }
  void add(const PriceRow& row) { found.push_back(&row); }
};

TariffRows default_first(const TariffRows& rows) {
  TariffRows out;
  for (const bool wanted : {true, false}) {
    for (const PriceRow* row : rows) {
      if (row->service_tier.empty() == wanted) out.push_back(row);
    }
  }
  return out;
}

std::optional<NanoUsd> nano(const std::optional<config::Usd>& usd) {
  return usd ? std::optional(usd->nano) : std::nullopt;
}

/// Names its figures, so that two prices never share a version.
std::string version_of(const std::string& provider, const PriceRow& row) {
  std::string figures;
  const config::Rates& r = row.rates;
  for (const auto& rate : {r.input, r.output, r.cache_read, r.cache_write, r.cache_write_1h,
                           r.reasoning, r.audio_input, r.audio_output, row.image, row.request}) {
    figures += (rate ? std::to_string(*rate) : "-") + ",";
  }
  constexpr std::size_t hash_digits = 6;
  return "providers." + provider + ".price@" + config::sha256_hex(figures).substr(0, hash_digits);
}

PriceRow row_of(const std::string& provider, const config::ProviderPrice& price) {
  PriceRow row;
  row.provider = provider;
  row.model = "*";
  row.rates = {.input = nano(price.input),
               .cache_read = nano(price.cache_read),
               .cache_write = nano(price.cache_write),
               .cache_write_1h = nano(price.cache_write_1h),
               .output = nano(price.output),
               .reasoning = nano(price.reasoning),
               .audio_input = nano(price.audio_input),
               .audio_output = nano(price.audio_output)};
  row.image = nano(price.image);
  row.request = nano(price.request);
  row.version = version_of(provider, row);
  return row;
}

const PriceBook* tenant_book(const config::Config& config, std::string_view tenant) {
  const auto& books = config.price_books->tenants;
  if (books.empty()) return nullptr;
  const auto found = books.find(std::string(tenant));
  return found == books.end() ? nullptr : &found->second;
}

/// The first of the rows that names it, else the book's.
template <class T>
std::optional<T> fact(const Tariff& tariff, std::optional<T> PriceRow::* member) {
  for (const PriceRow* row : tariff.rows) {
    if (row->*member) return row->*member;
  }
  return tariff.facts == nullptr ? std::nullopt : tariff.facts->*member;
}

}  // namespace

void TariffRows::push_back(const PriceRow* row) {
  if (size_ < most) rows_[size_++] = row;
}

bool is_default_tier(std::string_view service_tier) {
  constexpr std::array<std::string_view, 5> names{"", "default", "standard", "auto", "on_demand"};
  return std::ranges::find(names, service_tier) != names.end();
}

const PriceRow* Tariff::row(std::string_view service_tier) const {
  const bool plain = is_default_tier(service_tier);
  for (const PriceRow* candidate : rows) {
    if (plain ? candidate->service_tier.empty() : candidate->service_tier == service_tier) {
      return candidate;
    }
  }
  return any_tier;
}

std::optional<std::uint64_t> Tariff::context_window() const {
  return fact(*this, &PriceRow::context_window);
}
std::optional<std::uint64_t> Tariff::max_output() const {
  return fact(*this, &PriceRow::max_output);
}
std::optional<std::uint64_t> Tariff::overhead() const { return fact(*this, &PriceRow::overhead); }
std::optional<std::uint32_t> Tariff::output_tps() const {
  return fact(*this, &PriceRow::output_tps);
}

Tariffs::Tariffs(const config::Config& config) : config_(config) {
  for (const auto& [name, provider] : config.providers) {
    if (provider.price) by_provider_.emplace(name, row_of(name, *provider.price));
  }
}

Tariff Tariffs::find(const PriceQuery& query) const {
  Tariff out;
  Gather gather;
  const PriceBook* own = config_.price_books ? tenant_book(config_, query.tenant) : nullptr;
  const PriceBook* shared = config_.price_books ? &config_.price_books->shared : nullptr;
  if (own != nullptr) {
    own->collect_tiers(query.provider, query.kind, query.model, query.when, gather);
  }
  if (const auto flat = by_provider_.find(query.provider); flat != by_provider_.end()) {
    out.any_tier = &flat->second;
    gather.add(flat->second);
  } else if (shared != nullptr) {
    shared->collect_tiers(query.provider, query.kind, query.model, query.when, gather);
  }
  out.rows = default_first(gather.found);
  if (shared == nullptr) return out;
  out.facts = shared->find(query.provider, query.kind, query.model, "", query.when);
  if (!out.rows.empty() || config_.prices.unknown != Unknown::estimate) {
    return out;
  }
  const PriceRow* dearest =
      own == nullptr ? nullptr : own->dearest(query.provider, query.kind, query.when);
  if (dearest == nullptr) dearest = shared->dearest(query.provider, query.kind, query.when);
  if (dearest == nullptr) return out;
  out.estimated = true;
  out.any_tier = dearest;
  out.rows.push_back(dearest);
  return out;
}

}  // namespace tollgate::policies
