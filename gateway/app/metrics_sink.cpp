#include "gateway/app/metrics_sink.hpp"

#include <string>

#include "routing/provider.hpp"

namespace tollgate::app {
namespace {

using prometheus::Labels;

// The OTel semantic conventions' bounds; durations go on to 656 s for reasoning models.
constexpr std::array duration_bounds{0.01, 0.02,  0.04,  0.08,  0.16,  0.32,  0.64,  1.28, 2.56,
                                     5.12, 10.24, 20.48, 40.96, 81.92, 164.0, 328.0, 656.0};
constexpr std::array token_bounds{1.0,       4.0,       16.0,       64.0,      256.0,
                                  1024.0,    4096.0,    16384.0,    65536.0,   262144.0,
                                  1048576.0, 4194304.0, 16777216.0, 67108864.0};
constexpr std::array ttft_bounds{.001, .005, .01, .02, .04, .06, .08,  .1,   .25,
                                 .5,   .75,  1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0};
constexpr std::array output_token_bounds{.01, .025, .05, .075, .1,  .15, .2,
                                         .3,  .4,   .5,  .75,  1.0, 2.5};
constexpr std::array overhead_bounds{50e-6,  100e-6, 200e-6,  400e-6,  800e-6,  1.6e-3,
                                     3.2e-3, 6.4e-3, 12.8e-3, 25.6e-3, 51.2e-3, 100e-3};

std::string_view operation(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::completions:
      return "text_completion";
    case Endpoint::embeddings:
      return "embeddings";
    default:
      return "chat";
  }
}

double seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string or_none(std::string_view text) { return std::string(text.empty() ? "none" : text); }

/// OTel's name of the provider kind; our own kind where it has none.
std::string otel_provider(const Outcome& outcome) {
  const routing::Provider* codec = routing::find_provider(outcome.provider_kind);
  return codec != nullptr ? std::string(codec->otel_name()) : or_none(outcome.provider_kind);
}

constexpr double usd = 1e-9;  // of a nano-dollar

/// Which kind of limit decided; `none` where all of them admitted.
const char* limit_name(std::string_view code) {
  if (code == "rate_limit_exceeded") return "rate";
  if (code == "budget_exceeded" || code == "budget_reserved") return "budget";
  if (code == "model_unpriced") return "price";
  if (code == "store_unavailable") return "store";
  return "none";
}

const char* decision(const Outcome& outcome) {
  return outcome.status == CallStatus::denied ? "denied" : "admitted";
}

Labels with(Labels labels, const char* name, std::string_view value) {
  labels[name] = value;
  return labels;
}

}  // namespace

void MetricsSink::record(const Outcome& outcome) noexcept {
  CallSeries& series = series_of(outcome);
  series.requests->add();
  count_times(outcome, series);
  count_tokens(outcome, series);
  if (outcome.booked) series.decisions->add(outcome.count);
  if (outcome.charged > 0) series.cost->add(static_cast<std::uint64_t>(outcome.charged));
  for (const AttemptOutcome& attempt : outcome.attempts) {
    count_attempt(attempt);
    if (attempt.overrun > 0 || !attempt.cost) count_money(outcome.model, attempt);
  }
  if (!outcome.dropped_params.empty()) count_dropped(outcome);
  if (!outcome.cache.empty()) count_cache(outcome);
  if (!outcome.error.empty()) count_error(outcome.error_origin, outcome.error_label);
}

void MetricsSink::refused(std::string_view route, int status, std::string_view code,
                          Origin origin) noexcept {
  const SeriesKey key{.number = static_cast<std::uint64_t>(status), .names = {route}};
  refused_
      .get(key,
           [&] {
             return cell(metrics_.families().requests, {{"route", std::string(route)},
                                                        {"provider", "none"},
                                                        {"model", "none"},
                                                        {"code", std::to_string(status)}});
           })
      ->add();
  count_error(origin, code);
}

void MetricsSink::count_attempt(const AttemptOutcome& attempt) {
  const std::string_view how =
      attempt.status == CallStatus::error ? attempt.error_label : to_string(attempt.status);
  const auto make = [&] {
    return cell(metrics_.families().attempts,
                {{"provider", attempt.provider}, {"outcome", std::string(how)}});
  };
  attempts_.get({.names = {attempt.provider, how}}, make)->add();
}

/// By the configured name: a wildcard's upstream model is the client's choice.
void MetricsSink::count_money(std::string_view model, const AttemptOutcome& attempt) {
  const prometheus::Labels labels{{"provider", attempt.provider}, {"model", std::string(model)}};
  const SeriesKey key{.names = {attempt.provider, model}};
  if (!attempt.cost) {
    unpriced_.get(key, [&] { return cell(metrics_.families().unpriced, labels); })->add();
  }
  if (attempt.overrun <= 0) return;
  overruns_.get(key, [&] { return cell(metrics_.families().overrun, labels, usd); })
      ->add(static_cast<std::uint64_t>(attempt.overrun));
}

/// By provider only: the names are the client's, and it could choose any number of them.
void MetricsSink::count_dropped(const Outcome& outcome) {
  const auto make = [&] {
    return cell(metrics_.families().dropped_params, {{"provider", or_none(outcome.provider)}});
  };
  dropped_.get({.names = {outcome.provider}}, make)->add(outcome.dropped_params.size());
}

void MetricsSink::count_cache(const Outcome& outcome) {
  const auto make = [&] { return cell(metrics_.families().cache, {{"result", outcome.cache}}); };
  cache_.get({.names = {outcome.cache}}, make)->add();
  if (outcome.avoided <= 0) return;
  const auto make_avoided = [&] {
    return cell(metrics_.families().avoided, {{"model", outcome.model}}, usd);
  };
  avoided_.get({.names = {outcome.model}}, make_avoided)
      ->add(static_cast<std::uint64_t>(outcome.avoided));
}

void MetricsSink::count_error(Origin origin, std::string_view code) {
  const std::string_view from = to_string(origin);
  const auto make = [&] {
    return cell(metrics_.families().errors,
                {{"origin", std::string(from)}, {"code", std::string(code)}});
  };
  errors_.get({.names = {from, code}}, make)->add();
}

MetricsSink::CallSeries& MetricsSink::series_of(const Outcome& outcome) {
  const auto status = static_cast<std::uint64_t>(outcome.http_status);
  const SeriesKey key{.number = status << 8U | static_cast<std::uint64_t>(outcome.endpoint),
                      .names = {outcome.provider, outcome.model, outcome.error_label}};
  return calls_.get(key, [&] { return make_series(outcome); });
}

MetricsSink::CallSeries MetricsSink::make_series(const Outcome& outcome) {
  const auto& families = metrics_.families();
  const std::string provider = or_none(outcome.provider);
  const std::string model = outcome.model.empty() ? "other" : outcome.model;
  const Labels requests{{"route", std::string(to_string(outcome.endpoint))},
                        {"provider", provider},
                        {"model", model},
                        {"code", std::to_string(outcome.http_status)}};
  const Labels base{{"gen_ai_operation_name", std::string(operation(outcome.endpoint))},
                    {"gen_ai_provider_name", otel_provider(outcome)},
                    {"gen_ai_request_model", model}};
  const Labels timed = outcome.error.empty() ? base : with(base, "error_type", outcome.error_label);
  const auto tokens = [&](const char* type) {
    return cell(families.tokens, {{"type", type}, {"provider", provider}, {"model", model}});
  };
  return {
      .requests = cell(families.requests, requests),
      .overhead = cell(overhead_bounds, families.overhead, {}),
      .duration = cell(duration_bounds, families.duration, timed, families.server_duration),
      .input_tokens =
          cell(token_bounds, families.token_usage, with(base, "gen_ai_token_type", "input")),
      .output_tokens =
          cell(token_bounds, families.token_usage, with(base, "gen_ai_token_type", "output")),
      .first_chunk = cell(duration_bounds, families.first_chunk, base),
      .output_chunk = cell(duration_bounds, families.output_chunk, base),
      .server_ttft = cell(ttft_bounds, families.server_ttft, base),
      .server_output_token = cell(output_token_bounds, families.server_output_token, base),
      .tokens = {tokens("input"), tokens("cache_read"), tokens("cache_write"), tokens("output"),
                 tokens("reasoning")},
      .cost = cell(families.cost, {{"provider", provider}, {"model", model}}, usd),
      .decisions = cell(families.decisions, {{"limit", limit_name(outcome.error_label)},
                                             {"decision", decision(outcome)}}),
  };
}

CounterCell* MetricsSink::cell(Metrics::Counters* family, const Labels& labels, double unit) {
  prometheus::Counter& target = family->Add(labels);
  CounterCell*& known = counter_cells_[&target];
  if (known == nullptr) known = &metrics_.add_cell(target, unit);
  return known;
}

/// The cell of this worker for that series. `twin`: a family that is told the same under the same
/// labels.
HistogramCell* MetricsSink::cell(HistogramCell::Bounds bounds, Metrics::Histograms* family,
                                 const Labels& labels, Metrics::Histograms* twin) {
  const prometheus::Histogram::BucketBoundaries copy(bounds.begin(), bounds.end());
  std::vector<prometheus::Histogram*> targets{&family->Add(labels, copy)};
  if (twin != nullptr) targets.push_back(&twin->Add(labels, copy));
  HistogramCell*& known = histogram_cells_[targets.front()];
  if (known == nullptr) known = &metrics_.add_cell(bounds, std::move(targets));
  return known;
}

void MetricsSink::count_times(const Outcome& outcome, CallSeries& series) {
  series.overhead->observe(seconds(outcome.overhead));
  series.duration->observe(seconds(outcome.duration));
  if (outcome.ttft.count() < 0 || outcome.status != CallStatus::ok) return;
  series.server_ttft->observe(seconds(outcome.ttft));
  if (outcome.stream) series.first_chunk->observe(seconds(outcome.ttft));
  if (outcome.usage.output < 2) return;
  const double rest = seconds(outcome.duration - outcome.ttft);
  const double each = rest / static_cast<double>(outcome.usage.output - 1);
  series.server_output_token->observe(each);
  if (outcome.stream) series.output_chunk->observe(each);
}

void MetricsSink::count_tokens(const Outcome& outcome, CallSeries& series) {
  if (!outcome.usage_from_provider) return;
  const Usage& usage = outcome.usage;
  series.input_tokens->observe(static_cast<double>(usage.prompt()));
  series.output_tokens->observe(static_cast<double>(usage.output));
  const std::array counts{usage.input, usage.cache_read, usage.cache_write, usage.output,
                          usage.reasoning};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) series.tokens[i]->add(counts[i]);
  }
}

}  // namespace tollgate::app
