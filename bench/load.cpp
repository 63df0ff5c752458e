// bench_load: the load generator. Talks to 127.0.0.1 only; prints `measuring` and `measured` when
// its window opens and shuts, then one line of JSON with all results.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <vector>

#include "bench/runner.hpp"

namespace tollgate::bench {
namespace {

struct Options {
  std::string path = "/v1/chat/completions";
  std::string model = "bench";
  std::string key;
  std::vector<std::string> headers;
  std::size_t body_bytes = 3072;
  double ramp = 0;
  double warmup = 1;
  double seconds = 5;
  double drain = 2;
  double late_ms = 5;
  bool tls = false;
};

std::int64_t nanoseconds(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

/// A chat request of `size` bytes: what is missing is filled into the user's message.
std::string chat_body(const Options& options, bool stream) {
  std::string body = R"({"model":")" + options.model + R"(","max_tokens":1024,"temperature":0.2,)";
  if (stream) body += R"("stream":true,"stream_options":{"include_usage":true},)";
  body += R"("messages":[{"role":"system","content":"You are a load test."},)";
  body += R"({"role":"user","content":")";
  const std::string end = R"("}]})";
  static constexpr std::string_view words = "The quick brown fox jumps over the lazy dog. ";
  while (body.size() + end.size() < options.body_bytes)
    body += words[body.size() % words.size()];
  return body + end;
}

std::string whole_request(const Options& options, const Plan& plan) {
  const std::string body = chat_body(options, plan.stream);
  std::string head =
      fmt::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", options.path, plan.port);
  if (!options.key.empty()) head += "Authorization: Bearer " + options.key + "\r\n";
  for (const std::string& header : options.headers)
    head += header + "\r\n";
  head += "User-Agent: bench_load\r\nAccept: application/json\r\n";
  head += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.size());
  return head + body;
}

/// Quantiles in microseconds.
std::string json(const Histogram& values) {
  const auto us = [&](double quantile) { return static_cast<double>(values.at(quantile)) / 1e3; };
  return fmt::format(
      R"({{"count":{},"mean":{:.1f},"min":{:.1f},"p50":{:.1f},"p90":{:.1f},"p99":{:.1f},)"
      R"("p999":{:.1f},"max":{:.1f}}})",
      values.count(), values.mean() / 1e3, static_cast<double>(values.min()) / 1e3, us(0.5),
      us(0.9), us(0.99), us(0.999), static_cast<double>(values.max()) / 1e3);
}

std::string json(const std::map<std::string, std::uint64_t>& errors) {
  std::string out;
  for (const auto& [what, count] : errors)
    out += fmt::format(R"({}"{}":{})", out.empty() ? "" : ",", what, count);
  return "{" + out + "}";
}

std::string json(const StreamCounts& streams) {
  return fmt::format(R"({{"frames":{},"lost":{},"reordered":{},"merged":{},"together":{},)"
                     R"("late":{},"late_ms":{},"delay_us":{},"jitter_us":{}}})",
                     streams.frames, streams.lost, streams.reordered, streams.merged,
                     streams.together, streams.late, static_cast<double>(streams.late_ns) / 1e6,
                     json(streams.delay), json(streams.jitter));
}

void print(const Results& results, const Plan& plan) {
  fmt::print(R"({{"mode":"{}","connections":{},"rate":{},"request_bytes":{},"window_s":{:.6f},)"
             R"("requests":{},"answered":{},"body_bytes":{},"unfinished":{},"open_streams":{},)"
             R"("reconnects":{},"errors":{},"latency_us":{},"first_delta_us":{},"streams":{}}})"
             "\n",
             plan.rate > 0 ? "open" : "closed", plan.connections, plan.rate, plan.request.size(),
             static_cast<double>(results.window_ns) / 1e9, results.requests, results.answered,
             results.body_bytes, results.unfinished, results.open_streams, results.reconnects,
             json(results.errors), json(results.latency), json(results.first_delta),
             json(results.streams));
}

void describe(CLI::App& app, Options& options, Plan& plan) {
  app.add_option("--port", plan.port, "Of the server on 127.0.0.1")->required();
  app.add_flag("--tls", options.tls, "Speak TLS; the server's certificate is not looked at");
  app.add_option("--path", options.path, "What to POST to");
  app.add_option("--model", options.model, "The request's model");
  app.add_option("--key", options.key, "Sent as a bearer token");
  app.add_option("--header", options.headers, "`Name: value`, sent as it is; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--body-bytes", options.body_bytes, "Size of the request's JSON");
  app.add_flag("--stream", plan.stream, "Ask for SSE and judge each delta");
  app.add_option("--events", plan.events, "Deltas that a whole stream has");
  app.add_option("--connections", plan.connections, "Keep-alive connections")
      ->check(CLI::Range(1, 100000));
  app.add_option("--rate", plan.rate, "Open loop: requests a second; 0 is a closed loop");
  app.add_option("--requests", plan.requests,
                 "Closed loop: exactly so many, within --seconds, and no warmup")
      ->excludes("--rate");
  app.add_option("--ramp", options.ramp, "Closed loop: seconds over which connections begin");
  app.add_option("--warmup", options.warmup, "Seconds before the window");
  app.add_flag("--hold", plan.hold, "The window opens as soon as every stream has begun");
  app.add_option("--seconds", options.seconds, "Seconds of the window");
  app.add_option("--drain", options.drain, "Seconds that the last replies may take");
  app.add_option("--late-ms", options.late_ms, "A delta that took longer counts as late");
}

int run(int argc, char** argv) {
  CLI::App app("The load generator of Tollgate's benchmark");
  Options options;
  Plan plan;
  describe(app, options, plan);
  CLI11_PARSE(app, argc, argv);
  plan.request = whole_request(options, plan);
  plan.ramp_ns = nanoseconds(options.ramp);
  plan.warmup_ns = nanoseconds(options.warmup);
  plan.window_ns = nanoseconds(options.seconds);
  plan.drain_ns = nanoseconds(options.drain);
  plan.late_ns = nanoseconds(options.late_ms / 1e3);
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  std::optional<Tls> tls;
  if (options.tls) plan.tls = &tls.emplace(Tls::client());
  Runner runner(plan);
  print(runner.run(), plan);
  return 0;
}

}  // namespace
}  // namespace tollgate::bench

int main(int argc, char** argv) { return tollgate::bench::run(argc, argv); }
