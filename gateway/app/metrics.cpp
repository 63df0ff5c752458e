#include "gateway/app/metrics.hpp"

#include <prometheus/text_serializer.h>
#include <sstream>

namespace tollgate::app {

using prometheus::Labels;
Metrics::Metrics() {
  const auto counters = [this](const char* name, const char* help) {
    return &prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
  };
  const auto histograms = [this](const char* name, const char* help) {
    return &prometheus::BuildHistogram().Name(name).Help(help).Register(registry_);
  };
  families_.requests = counters("tollgate_requests_total", "Requests by route and final status.");
  families_.attempts = counters("tollgate_upstream_attempts_total",
                                "Requests sent to providers, by how they ended.");
  families_.tokens = counters("tollgate_tokens_total", "Tokens that providers reported.");
  families_.errors = counters("tollgate_errors_total", "Failed requests, by whose fault it was.");
  families_.dropped_params =
      counters("tollgate_dropped_params_total", "Request fields that a provider could not take.");
  families_.cost = counters("tollgate_cost_usd_total", "What calls cost, US dollars.");
  families_.overrun = counters("tollgate_reservation_overrun_usd_total",
                               "How far true costs were above what had been reserved, US dollars.");
  families_.unpriced =
      counters("tollgate_unpriced_attempts_total", "Attempts whose price is unknown.");
  families_.decisions = counters("tollgate_limit_decisions_total",
                                 "Calls that limits and budgets admitted or denied.");
  families_.warnings =
      counters("tollgate_budget_warnings_total", "Steps of warn_at that budgets have passed.");
  families_.fallbacks =
      counters("tollgate_fallbacks_total", "Calls that went on under another model of the file.");
  families_.continuations = counters("tollgate_continuations_total",
                                     "Streams that died and were to go on at another target.");
  families_.hedges = counters("tollgate_hedges_total",
                              "Calls that asked a second target, by which answered first.");
  families_.cache = counters("tollgate_cache_requests_total", "Calls by what the cache had.");
  families_.avoided =
      counters("tollgate_cache_avoided_usd_total",
               "What calls that were answered from the cache had cost, US dollars.");
  families_.overhead = histograms("tollgate_overhead_seconds",
                                  "Time spent in the gateway itself: all less waiting.");
  families_.duration =
      histograms("gen_ai_client_operation_duration_seconds", "Duration of the whole call.");
  families_.token_usage = histograms("gen_ai_client_token_usage", "Tokens used by a call.");
  families_.first_chunk = histograms("gen_ai_client_operation_time_to_first_chunk_seconds",
                                     "Time to the first content of a stream.");
  families_.output_chunk = histograms("gen_ai_client_operation_time_per_output_chunk_seconds",
                                      "Time per output token of a stream after the first.");
  families_.server_duration =
      histograms("gen_ai_server_request_duration_seconds", "Duration as the server sees it.");
  families_.server_ttft = histograms("gen_ai_server_time_to_first_token_seconds",
                                     "Time to the first token of a successful reply.");
  families_.server_output_token =
      histograms("gen_ai_server_time_per_output_token_seconds",
                 "(duration - TTFT) / (output tokens - 1) of a successful reply.");
}

std::string Metrics::scrape() {
  for (const auto& hook : hooks_)
    hook(*this);
  gauge("tollgate_streams_active", "Streamed replies under way.",
        static_cast<double>(streams_active.load()));
  fold_cells();
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, registry_.Collect());
  return text.str();
}

void Metrics::on_scrape(std::function<void(Metrics&)> hook) { hooks_.push_back(std::move(hook)); }

void Metrics::raise(const std::string& name, const std::string& help, double total,
                    const Labels& labels) {
  auto& family = raised_[name];
  if (family == nullptr) {
    family = &prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
  }
  prometheus::Counter& counter = family->Add(labels);
  if (total > counter.Value()) counter.Increment(total - counter.Value());
}

void Metrics::gauge(const std::string& name, const std::string& help, double value,
                    const Labels& labels) {
  auto& family = gauges_[name];
  if (family == nullptr) {
    family = &prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
  }
  family->Add(labels).Set(value);
}

void Metrics::count_warning(std::string_view scope_kind, std::string_view per) {
  families_.warnings->Add({{"scope", std::string(scope_kind)}, {"per", std::string(per)}})
      .Increment();
}

void Metrics::count_fallback(const std::string& from, const std::string& to) {
  families_.fallbacks->Add({{"model", from}, {"to", to}}).Increment();
}

void Metrics::count_continuation(const std::string& model) {
  families_.continuations->Add({{"model", model}}).Increment();
}

void Metrics::count_hedge(const std::string& model, const char* winner) {
  families_.hedges->Add({{"model", model}, {"winner", winner}}).Increment();
}

CounterCell& Metrics::add_cell(prometheus::Counter& target, double unit) {
  const std::lock_guard lock(cells_mutex_);
  return counter_cells_.emplace_back(target, unit);
}

HistogramCell& Metrics::add_cell(HistogramCell::Bounds bounds,
                                 std::vector<prometheus::Histogram*> targets) {
  const std::lock_guard lock(cells_mutex_);
  return histogram_cells_.emplace_back(bounds, std::move(targets));
}

void Metrics::fold_cells() {
  const std::lock_guard lock(cells_mutex_);
  for (CounterCell& cell : counter_cells_)
    cell.fold();
  for (HistogramCell& cell : histogram_cells_)
    cell.fold();
}

}  // namespace tollgate::app
