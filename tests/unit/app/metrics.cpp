#include "gateway/app/metrics.hpp"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gateway/app/metrics_sink.hpp"

namespace tollgate::app {
namespace {

using std::chrono::microseconds;

Outcome good_call() {
  Outcome outcome;
  outcome.model = "gpt";
  outcome.provider = "up";
  outcome.provider_kind = "openai";
  outcome.status = CallStatus::ok;
  outcome.http_status = 200;
  outcome.usage = {.input = 3, .cache_read = 1, .output = 5};
  outcome.usage_from_provider = true;
  outcome.ttft = microseconds(10'000);
  outcome.duration = microseconds(20'000);
  outcome.overhead = microseconds(50);
  outcome.attempts.resize(1);
  outcome.attempts[0].provider = "up";
  outcome.attempts[0].status = CallStatus::ok;
  return outcome;
}

Outcome failed_call() {
  Outcome outcome = good_call();
  outcome.status = CallStatus::error;
  outcome.http_status = 502;
  outcome.error = "their own code";
  outcome.error_label = "upstream_error";
  outcome.error_origin = Origin::upstream;
  outcome.usage_from_provider = false;
  outcome.attempts[0].status = CallStatus::error;
  outcome.attempts[0].error_label = "upstream_error";
  return outcome;
}

/// The value of that sample, or -1: there is none.
double sample(const std::string& text, const std::string& series) {
  const std::size_t at = text.find('\n' + series + ' ');
  return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
}

const std::string requests = R"(tollgate_requests_total{code="200",model="gpt",provider="up",)"
                             R"(route="/v1/chat/completions"})";
const std::string base =
    R"(gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt")";

}  // namespace

TEST_CASE("metrics: a call shows in every family, under its labels") {
  Metrics metrics;
  MetricsSink sink(metrics);
  sink.record(good_call());
  const std::string text = metrics.scrape();
  CHECK(sample(text, requests) == 1);
  CHECK(sample(text, R"(tollgate_upstream_attempts_total{outcome="ok",provider="up"})") == 1);
  const auto tokens = [&](const std::string& type) {
    return sample(text, R"(tollgate_tokens_total{model="gpt",provider="up",type=")" + type + "\"}");
  };
  CHECK(tokens("input") == 3);
  CHECK(tokens("cache_read") == 1);
  CHECK(tokens("cache_write") == 0);
  CHECK(tokens("output") == 5);
  CHECK(sample(text, "tollgate_overhead_seconds_sum") == doctest::Approx(50e-6));
  CHECK(sample(text, R"(tollgate_overhead_seconds_bucket{le="5e-05"})") == 1);
  for (const std::string name :
       {"gen_ai_client_operation_duration_seconds", "gen_ai_server_request_duration_seconds"}) {
    CHECK(sample(text, name + "_count{" + base + "}") == 1);
    CHECK(sample(text, name + "_sum{" + base + "}") == doctest::Approx(0.02));
    CHECK(sample(text, name + "_bucket{" + base + R"(,le="0.01"})") == 0);
    CHECK(sample(text, name + "_bucket{" + base + R"(,le="0.02"})") == 1);
    CHECK(sample(text, name + "_bucket{" + base + R"(,le="+Inf"})") == 1);
  }
  CHECK(sample(text, "gen_ai_server_time_per_output_token_seconds_sum{" + base + "}") ==
        doctest::Approx(0.0025));
  CHECK(sample(text, "gen_ai_client_token_usage_sum{" + base + R"(,gen_ai_token_type="input"})") ==
        4);
  // Not a stream: the series is there and says that there were none.
  CHECK(sample(text, "gen_ai_client_operation_time_to_first_chunk_seconds_count{" + base + "}") ==
        0);
}

TEST_CASE("metrics: what is beyond the last bound counts as well") {
  Metrics metrics;
  MetricsSink sink(metrics);
  Outcome slow = good_call();
  slow.duration = std::chrono::hours(1);
  sink.record(slow);
  const std::string text = metrics.scrape();
  const std::string bucket = "gen_ai_client_operation_duration_seconds_bucket{" + base;
  CHECK(sample(text, bucket + R"(,le="656"})") == 0);
  CHECK(sample(text, bucket + R"(,le="+Inf"})") == 1);
}

TEST_CASE("metrics: a bound belongs to the bucket below it, from wherever the last value was") {
  constexpr std::array bounds{1.0, 2.0, 4.0};
  constexpr std::array values{0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, -1.0};
  const prometheus::Histogram::BucketBoundaries copy(bounds.begin(), bounds.end());
  for (const double first : values) {
    for (const double second : values) {
      prometheus::Histogram straight(copy);
      prometheus::Histogram folded(copy);
      HistogramCell cell(bounds, {&folded});
      for (const double value : {first, second}) {
        straight.Observe(value);
        cell.observe(value);
      }
      cell.fold();
      const auto expected = straight.Collect().histogram;
      const auto got = folded.Collect().histogram;
      REQUIRE(got.sample_count == expected.sample_count);
      REQUIRE(got.sample_sum == expected.sample_sum);
      for (std::size_t i = 0; i <= bounds.size(); ++i)
        REQUIRE(got.bucket[i].cumulative_count == expected.bucket[i].cumulative_count);
    }
  }
}

TEST_CASE("metrics: failures count by whose they are, refusals too") {
  Metrics metrics;
  MetricsSink sink(metrics);
  for (int i = 0; i < 2; ++i) {
    sink.record(failed_call());
    sink.record(good_call());
    sink.refused("/v1/models", 401, "invalid_api_key", Origin::client);
    sink.refused("other", 404, "not_found", Origin::client);
  }
  Outcome dropped = good_call();
  dropped.dropped_params = {"seed", "logit_bias"};
  sink.record(dropped);
  const std::string text = metrics.scrape();
  const auto errors = [&](const std::string& labels) {
    return sample(text, "tollgate_errors_total{" + labels + "}");
  };
  CHECK(errors(R"(code="upstream_error",origin="upstream")") == 2);
  CHECK(errors(R"(code="invalid_api_key",origin="client")") == 2);
  CHECK(errors(R"(code="not_found",origin="client")") == 2);
  const auto calls = [&](const std::string& labels) {
    return sample(text, "tollgate_requests_total{" + labels + "}");
  };
  CHECK(calls(R"(code="401",model="none",provider="none",route="/v1/models")") == 2);
  CHECK(calls(R"(code="404",model="none",provider="none",route="other")") == 2);
  CHECK(calls(R"(code="502",model="gpt",provider="up",route="/v1/chat/completions")") == 2);
  CHECK(calls(R"(code="200",model="gpt",provider="up",route="/v1/chat/completions")") == 3);
  CHECK(sample(text,
               R"(tollgate_upstream_attempts_total{outcome="upstream_error",provider="up"})") == 2);
  CHECK(sample(text, R"(tollgate_dropped_params_total{provider="up"})") == 2);
  CHECK(
      sample(text, "gen_ai_client_operation_duration_seconds_count{error_type=\"upstream_error\"," +
                       base + "}") == 2);
  CHECK(text.find("their own code") == std::string::npos);
}

TEST_CASE("metrics: every scrape shows the sum of all workers, and counts nothing twice") {
  Metrics metrics;
  MetricsSink one(metrics);
  MetricsSink other(metrics);
  for (int i = 1; i <= 3; ++i) {
    one.record(good_call());
    other.record(good_call());
    for (int again = 0; again < 2; ++again) {
      const std::string text = metrics.scrape();
      CHECK(sample(text, requests) == 2 * i);
      CHECK(sample(text, "tollgate_overhead_seconds_count") == 2 * i);
      CHECK(sample(text, "tollgate_overhead_seconds_sum") == doctest::Approx(2 * i * 50e-6));
    }
  }
}

TEST_CASE("metrics: workers count and meet new series while others are scraped") {
  Metrics metrics;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 3; ++worker) {
    workers.emplace_back([&metrics] {
      MetricsSink sink(metrics);  // what it counted outlives it
      Outcome outcome = good_call();
      for (int i = 0; i < 2000; ++i) {
        outcome.http_status = 200 + i % 50;
        sink.record(outcome);
      }
    });
  }
  double before = 0;
  for (int i = 0; i < 20; ++i) {
    const double now = sample(metrics.scrape(), "tollgate_overhead_seconds_count");
    CHECK((now == -1 || now >= before));
    before = std::max(before, now);
  }
  for (std::thread& worker : workers)
    worker.join();
  const std::string text = metrics.scrape();
  CHECK(sample(text, "tollgate_overhead_seconds_count") == 6000);
  CHECK(sample(text, R"(tollgate_upstream_attempts_total{outcome="ok",provider="up"})") == 6000);
}

}  // namespace tollgate::app
