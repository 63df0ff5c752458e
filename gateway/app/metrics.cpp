#include "gateway/app/metrics.hpp"

#include <prometheus/text_serializer.h>
#include <sstream>

#include "routing/provider.hpp"

namespace tollgate::app {
namespace {

using prometheus::Histogram;
using prometheus::Labels;
using Bounds = Histogram::BucketBoundaries;

// The OTel semantic conventions' bounds; durations go on to 656 s for reasoning models.
const Bounds duration_bounds{0.01, 0.02,  0.04,  0.08,  0.16,  0.32, 0.64, 1.28, 2.56,
                             5.12, 10.24, 20.48, 40.96, 81.92, 164,  328,  656};
const Bounds token_bounds{1,     4,     16,     64,      256,     1024,     4096,
                          16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};
const Bounds ttft_bounds{.001, .005, .01, .02, .04, .06, .08, .1, .25,
                         .5,   .75,  1,   2.5, 5,   7.5, 10,  30, 60};
const Bounds output_token_bounds{.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5};
const Bounds overhead_bounds{50e-6,  100e-6, 200e-6,  400e-6,  800e-6,  1.6e-3,
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

}  // namespace

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

void MetricsSink::record(const Outcome& outcome) noexcept {
  Handles& handles = handles_for(outcome);
  handles.requests->Increment();
  count_times(outcome, handles);
  count_tokens(outcome, handles);
  for (const AttemptOutcome& attempt : outcome.attempts) {
    const std::string how(attempt.status == CallStatus::error ? attempt.error_label
                                                              : to_string(attempt.status));
    counter(*metrics_.families().attempts, "a" + attempt.provider + '\n' + how,
            {{"provider", attempt.provider}, {"outcome", how}})
        .Increment();
  }
  // By provider only: the names are the client's, and it could choose any number of them.
  if (!outcome.dropped_params.empty()) {
    const std::string provider(or_none(outcome.provider));
    counter(*metrics_.families().dropped_params, "d" + provider, {{"provider", provider}})
        .Increment(static_cast<double>(outcome.dropped_params.size()));
  }
  if (outcome.error.empty()) return;
  count_error(outcome.error_origin, outcome.error_label);
}

void MetricsSink::count_error(Origin origin, std::string_view code) {
  const std::string_view from = to_string(origin);
  std::string key("e");
  key.append(from).append("\n").append(code);
  counter(*metrics_.families().errors, key, {{"origin", from}, {"code", code}}).Increment();
}

void MetricsSink::refused(std::string_view route, int status, std::string_view code,
                          Origin origin) noexcept {
  const std::string text = std::to_string(status);
  const std::string name(route);
  counter(*metrics_.families().requests, "r" + name + '\n' + text,
          {{"route", name}, {"provider", "none"}, {"model", "none"}, {"code", text}})
      .Increment();
  count_error(origin, code);
}

prometheus::Counter& MetricsSink::counter(Metrics::Counters& family, const std::string& key,
                                          LabelViews labels) {
  auto& handle = counters_[key];
  if (handle == nullptr) handle = &family.Add(Labels(labels.begin(), labels.end()));
  return *handle;
}

MetricsSink::Handles& MetricsSink::handles_for(const Outcome& outcome) {
  key_.clear();
  key_ += static_cast<char>(outcome.endpoint);
  key_ += outcome.provider;
  key_ += '\n';
  key_ += outcome.model;
  key_ += '\n';
  key_ += std::to_string(outcome.http_status);
  key_ += outcome.error_label;
  if (const auto found = handles_.find(key_); found != handles_.end()) return found->second;

  const auto& families = metrics_.families();
  const std::string model = outcome.model.empty() ? "other" : outcome.model;
  const Labels requests{{"route", std::string(to_string(outcome.endpoint))},
                        {"provider", or_none(outcome.provider)},
                        {"model", model},
                        {"code", std::to_string(outcome.http_status)}};
  Labels base{{"gen_ai_operation_name", std::string(operation(outcome.endpoint))},
              {"gen_ai_provider_name", otel_provider(outcome)},
              {"gen_ai_request_model", model}};
  Labels timed = base;
  if (!outcome.error.empty()) timed["error_type"] = std::string(outcome.error_label);
  Labels input = base;
  input["gen_ai_token_type"] = "input";
  Labels output = base;
  output["gen_ai_token_type"] = "output";
  Handles handles{
      .requests = &families.requests->Add(requests),
      .overhead = &families.overhead->Add({}, overhead_bounds),
      .duration = &families.duration->Add(timed, duration_bounds),
      .server_duration = &families.server_duration->Add(timed, duration_bounds),
      .input_tokens = &families.token_usage->Add(input, token_bounds),
      .output_tokens = &families.token_usage->Add(output, token_bounds),
      .first_chunk = &families.first_chunk->Add(base, duration_bounds),
      .output_chunk = &families.output_chunk->Add(base, duration_bounds),
      .server_ttft = &families.server_ttft->Add(base, ttft_bounds),
      .server_output_token = &families.server_output_token->Add(base, output_token_bounds),
      .tokens = {},
  };
  constexpr const char* types[] = {"input", "cache_read", "cache_write", "output", "reasoning"};
  for (std::size_t i = 0; i < std::size(types); ++i) {
    handles.tokens[i] = &families.tokens->Add(
        {{"type", types[i]}, {"provider", or_none(outcome.provider)}, {"model", model}});
  }
  return handles_.emplace(key_, handles).first->second;
}

void MetricsSink::count_times(const Outcome& outcome, Handles& handles) {
  handles.overhead->Observe(seconds(outcome.overhead));
  handles.duration->Observe(seconds(outcome.duration));
  handles.server_duration->Observe(seconds(outcome.duration));
  if (outcome.ttft.count() < 0 || outcome.status != CallStatus::ok) return;
  handles.server_ttft->Observe(seconds(outcome.ttft));
  if (outcome.stream) handles.first_chunk->Observe(seconds(outcome.ttft));
  if (outcome.usage.output < 2) return;
  const double rest = seconds(outcome.duration - outcome.ttft);
  const double each = rest / static_cast<double>(outcome.usage.output - 1);
  handles.server_output_token->Observe(each);
  if (outcome.stream) handles.output_chunk->Observe(each);
}

void MetricsSink::count_tokens(const Outcome& outcome, Handles& handles) {
  if (!outcome.usage_from_provider) return;
  const Usage& usage = outcome.usage;
  handles.input_tokens->Observe(static_cast<double>(usage.prompt()));
  handles.output_tokens->Observe(static_cast<double>(usage.output));
  const std::uint64_t counts[] = {usage.input, usage.cache_read, usage.cache_write, usage.output,
                                  usage.reasoning};
  for (std::size_t i = 0; i < std::size(counts); ++i) {
    if (counts[i] > 0) handles.tokens[i]->Increment(static_cast<double>(counts[i]));
  }
}

}  // namespace tollgate::app
