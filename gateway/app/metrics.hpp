// Metrics: every series of the gateway in one table, over prometheus-cpp's core. Calls are counted
// by each worker's MetricsSink into cells of its own, which are folded in at each scrape; what
// others count is read by hooks. Scraped on the control thread.
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/app/metric_cells.hpp"

namespace tollgate::app {

/// The families, made once; shared by all workers and kept over reloads.
class Metrics {
 public:
  Metrics();

  /// Text exposition. The hooks run first (gauges that are read from elsewhere).
  [[nodiscard]] std::string scrape();
  /// Adds a function that is asked at each scrape, on the admin thread.
  void on_scrape(std::function<void(Metrics&)> hook);
  /// A counter whose value is kept elsewhere: raised to `total` at scrape.
  void raise(const std::string& name, const std::string& help, double total,
             const prometheus::Labels& labels = {});
  void gauge(const std::string& name, const std::string& help, double value,
             const prometheus::Labels& labels = {});

  using Counters = prometheus::Family<prometheus::Counter>;
  using Histograms = prometheus::Family<prometheus::Histogram>;
  struct Families {
    Counters *requests, *attempts, *tokens, *errors, *dropped_params;
    Counters *cost, *overrun, *unpriced, *decisions, *warnings, *fallbacks, *continuations, *hedges;
    Counters *cache, *avoided;
    Histograms *overhead, *duration, *token_usage, *first_chunk, *output_chunk;
    Histograms *server_duration, *server_ttft, *server_output_token;
  };
  [[nodiscard]] const Families& families() const { return families_; }

  /// A cell for one worker to count into; it lives as long as the metrics. Any thread.
  CounterCell& add_cell(prometheus::Counter& target, double unit = 1);
  /// A budget passed a `warn_at` step. Any thread; rare.
  void count_warning(std::string_view scope_kind, std::string_view per);
  /// A call went on under another model. Any thread; rare. Names of the file.
  void count_fallback(const std::string& from, const std::string& to);
  /// A stream of that model was to go on at another target. Any thread; rare.
  void count_continuation(const std::string& model);
  /// A second target was asked, and that one was the first to answer: first, second, none.
  void count_hedge(const std::string& model, const char* winner);
  HistogramCell& add_cell(HistogramCell::Bounds bounds,
                          std::vector<prometheus::Histogram*> targets);

  std::atomic<std::int64_t> streams_active{0};

 private:
  void fold_cells();

  prometheus::Registry registry_;
  Families families_{};
  std::vector<std::function<void(Metrics&)>> hooks_;
  std::unordered_map<std::string, Counters*> raised_;
  std::unordered_map<std::string, prometheus::Family<prometheus::Gauge>*> gauges_;
  std::mutex cells_mutex_;  ///< guards the lists; what is in them needs no lock
  std::deque<CounterCell> counter_cells_;
  std::deque<HistogramCell> histogram_cells_;
};

}  // namespace tollgate::app
