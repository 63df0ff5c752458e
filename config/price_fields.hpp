// The keys of a price row, each named once, for the reader of price files. To add one: its member
// in price_book.hpp, its line here. Private to config/*.cpp.
#pragma once
#include "config/price_book.hpp"

namespace tollgate::config {

/// Calls v(name, member) for every kind of token.
template <class V>
void visit_rates(Rates& rates, V& v) {
  v("input", rates.input);
  v("cache_read", rates.cache_read);
  v("cache_write", rates.cache_write);
  v("cache_write_1h", rates.cache_write_1h);
  v("output", rates.output);
  v("reasoning", rates.reasoning);
  v("audio_input", rates.audio_input);
  v("audio_output", rates.audio_output);
}

template <class V>
void visit_fields(LengthTier& tier, V& v) {
  v("above", tier.above);
  visit_rates(tier.rates, v);
}

template <class V>
void visit_fields(PriceRow& row, V& v) {
  v("provider", row.provider);
  v("model", row.model);
  v("from", row.from);
  v("service_tier", row.service_tier);
  visit_rates(row.rates, v);
  v("tiers", row.tiers);
  v("image", row.image);
  v("request", row.request);
  v("tools", row.tools);
  v("context_window", row.context_window);
  v("max_output", row.max_output);
  v("overhead", row.overhead);
  v("output_tps", row.output_tps);
}

}  // namespace tollgate::config
