// Metrics: every series of the gateway in one table, over prometheus-cpp's core. Labels only come
// from configured names; handles are looked up once per combination and kept by each worker.
// Scraped by the admin thread, counted by workers.
#pragma once
#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/core/outcome.hpp"

namespace tollgate::app {

/// The families, made once; shared by all workers and kept over reloads.
class Metrics {
 public:
  Metrics();

  /// Text exposition. `refresh` hooks run first (gauges that are read from elsewhere).
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
    Histograms *overhead, *duration, *token_usage, *first_chunk, *output_chunk;
    Histograms *server_duration, *server_ttft, *server_output_token;
  };
  [[nodiscard]] const Families& families() const { return families_; }
  std::atomic<std::int64_t> streams_active{0};

 private:
  prometheus::Registry registry_;
  Families families_{};
  std::vector<std::function<void(Metrics&)>> hooks_;
  std::unordered_map<std::string, Counters*> raised_;
  std::unordered_map<std::string, prometheus::Family<prometheus::Gauge>*> gauges_;
};

/// Counts outcomes. One a worker: its handle caches need no lock.
class MetricsSink final : public OutcomeSink {
 public:
  explicit MetricsSink(Metrics& metrics) : metrics_(metrics) {}
  void record(const Outcome& outcome) noexcept override;
  /// A request refused before anybody was authenticated.
  void refused(std::string_view route, int status, std::string_view code, Origin origin) noexcept;

 private:
  struct Handles {
    prometheus::Counter* requests;
    prometheus::Histogram *overhead, *duration, *server_duration;
    prometheus::Histogram *input_tokens, *output_tokens;
    prometheus::Histogram *first_chunk, *output_chunk, *server_ttft, *server_output_token;
    prometheus::Counter* tokens[5];
  };
  Handles& handles_for(const Outcome& outcome);
  void count_times(const Outcome& outcome, Handles& handles);
  void count_tokens(const Outcome& outcome, Handles& handles);
  void count_error(Origin origin, std::string_view code);
  /// Label names with views of their values: made into Labels only for a handle that is new.
  using LabelViews = std::initializer_list<std::pair<const char*, std::string_view>>;
  prometheus::Counter& counter(Metrics::Counters& family, const std::string& key,
                               LabelViews labels);

  Metrics& metrics_;
  std::string key_;
  std::unordered_map<std::string, Handles> handles_;
  std::unordered_map<std::string, prometheus::Counter*> counters_;
};

}  // namespace tollgate::app
