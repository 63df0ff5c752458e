// MetricsSink: counts calls as they end, one a worker, on its thread. Which series a call belongs
// to is looked up by views of its outcome; the counting itself is the cells' (no lock, no string).
// Labels only come from configured names and the contract's codes.
#pragma once
#include <array>
#include <string_view>
#include <unordered_map>

#include "gateway/app/metrics.hpp"
#include "gateway/app/series_cache.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate::app {

class MetricsSink final : public OutcomeSink {
 public:
  explicit MetricsSink(Metrics& metrics) : metrics_(metrics) {}
  void record(const Outcome& outcome) noexcept override;
  /// A request refused before anybody was authenticated.
  void refused(std::string_view route, int status, std::string_view code, Origin origin) noexcept;

 private:
  /// Where calls of one route, provider, model and end are counted.
  struct CallSeries {
    CounterCell* requests;
    HistogramCell *overhead, *duration;
    HistogramCell *input_tokens, *output_tokens;
    HistogramCell *first_chunk, *output_chunk, *server_ttft, *server_output_token;
    std::array<CounterCell*, 5> tokens;
    CounterCell *cost, *decisions;
  };

  CallSeries& series_of(const Outcome& outcome);
  CallSeries make_series(const Outcome& outcome);
  void count_times(const Outcome& outcome, CallSeries& series);
  void count_tokens(const Outcome& outcome, CallSeries& series);
  void count_attempt(const AttemptOutcome& attempt);
  void count_dropped(const Outcome& outcome);
  void count_cache(const Outcome& outcome);
  void count_error(Origin origin, std::string_view code);
  void count_money(std::string_view model, const AttemptOutcome& attempt);
  CounterCell* cell(Metrics::Counters* family, const prometheus::Labels& labels, double unit = 1);
  HistogramCell* cell(HistogramCell::Bounds bounds, Metrics::Histograms* family,
                      const prometheus::Labels& labels, Metrics::Histograms* twin = nullptr);

  Metrics& metrics_;
  SeriesCache<CallSeries> calls_;
  SeriesCache<CounterCell*> overruns_, unpriced_, attempts_, dropped_, errors_, refused_, cache_,
      avoided_;
  // Calls that end differently share most of their series.
  std::unordered_map<const prometheus::Counter*, CounterCell*> counter_cells_;
  std::unordered_map<const prometheus::Histogram*, HistogramCell*> histogram_cells_;
};

}  // namespace tollgate::app
